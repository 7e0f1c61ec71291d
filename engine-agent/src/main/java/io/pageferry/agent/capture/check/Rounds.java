package io.pageferry.agent.capture.check;

import static io.pageferry.agent.capture.frame.Breach.unless;

import io.pageferry.agent.capture.frame.Breach;
import io.pageferry.agent.capture.frame.Rule;
import io.pageferry.agent.capture.frame.Values;

/**
 * Rounds and barriers of a session; PROTOCOL.md §9. Between connections there is no order: the last
 * batches of a round may stand behind its ROUND_END in a capture.
 */
final class Rounds {
    private final Session session;
    private long current = -1;
    private long ended = -1;
    private long verified = -1;
    private long used = -1;
    private boolean pending;
    private long[] named = {};

    Rounds(Session session) {
        this.session = session;
    }

    /** A link was lost: a barrier that had not passed is forgotten, numbers are not. */
    void restart() {
        used = Math.max(current, ended);
        current = used;
        ended = used;
        pending = false;
    }

    void batch(Channel channel, long round) throws Breach {
        unless(round > used, Rule.ROUND_USED, "round " + round + " behind a RESUME, and " + used
                + " was used before it");
        if (pending) {
            unless(round == ended, Rule.ROUND_ORDER, "a page of round " + round
                    + " before ROUND_APPLIED of " + ended);
            unless(channel.sent() <= named[channel.number()], Rule.ROUND_END_SEQUENCES,
                    "batch " + channel.sent() + " of channel " + channel.number()
                    + ", and ROUND_END named " + named[channel.number()] + " as the last");
        } else {
            unless(round > ended, Rule.ROUND_ORDER, "a page of round " + round + ", and round "
                    + ended + " has ended");
            unless(current <= ended || round == current, Rule.ROUND_ORDER, "a page of round "
                    + round + " while round " + current + " is open");
        }
        if (round != current) {
            current = round;
            session.pages().nextRound();
        }
    }

    void end(Values end) throws Breach {
        long round = end.num("round");
        unless(end.num("channels") == session.channels(), Rule.ROUND_END_CHANNELS,
                end.num("channels") + " channels, and " + session.channels() + " were granted");
        unless(!pending, Rule.ROUND_END_TURN, "ROUND_END of " + round + " while that of " + ended
                + " waits for its ROUND_APPLIED");
        unless(round > used, Rule.ROUND_USED, "round " + round + " behind a RESUME, and " + used
                + " was used before it");
        unless(round > ended && (current <= ended || round == current), Rule.ROUND_END_TURN,
                "ROUND_END of " + round + " while round " + Math.max(current, ended) + " is "
                + (current > ended ? "open" : "the last that ended"));
        named = end.list("sequences");
        ended = round;
        pending = true;
        for (Channel channel : session.open()) {
            unless(channel.sent() <= named[channel.number()], Rule.ROUND_END_SEQUENCES,
                    "channel " + channel.number() + " sent batch " + channel.sent()
                    + " before, and ROUND_END names " + named[channel.number()]);
        }
    }

    void applied(long round) throws Breach {
        unless(pending && round == ended, Rule.ROUND_APPLIED, "round " + round + (pending
                ? ", and ROUND_END of " + ended + " waits" : ", and no ROUND_END waits"));
        pending = false;
        for (Channel channel : session.open()) {
            unless(channel.sent() == named[channel.number()], Rule.ROUND_END_SEQUENCES,
                    "ROUND_END named batch " + named[channel.number()] + " of channel "
                    + channel.number() + ", which sent " + channel.sent());
        }
    }

    void verified(long round) throws Breach {
        unless(round <= ended && round > verified, Rule.ROUND_VERIFIED, "round " + round
                + " behind " + verified + ", and " + ended + " is the last that ended");
        verified = round;
    }

    void owed(long[] pages) throws Breach {
        unless(pending, Rule.OWED_TURN, "no ROUND_END waits for its ROUND_APPLIED");
        for (long page : pages) {
            unless(page < session.offer().pages(), Rule.OWED_PAGE, "page " + page + " of "
                    + session.offer().pages());
        }
    }

    /** COMPLETE, which has the last sequences too. */
    void complete(long[] last) throws Breach {
        unless(!pending && current <= ended, Rule.COMPLETE_BARRIER, "the barrier of round "
                + Math.max(current, ended) + " has not passed");
        unless(last.length == session.channels(), Rule.COMPLETE_SEQUENCES, last.length
                + " channels, and " + session.channels() + " were granted");
        for (Channel channel : session.open()) {
            unless(channel.sent() == last[channel.number()], Rule.COMPLETE_SEQUENCES,
                    "channel " + channel.number() + " sent " + channel.sent()
                    + " batches, and COMPLETE names " + last[channel.number()]);
        }
    }
}
