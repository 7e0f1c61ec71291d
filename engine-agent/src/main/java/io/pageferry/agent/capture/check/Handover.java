package io.pageferry.agent.capture.check;

import static io.pageferry.agent.capture.frame.Breach.unless;

import io.pageferry.agent.capture.frame.Breach;
import io.pageferry.agent.capture.frame.FrameType;
import io.pageferry.agent.capture.frame.Rule;
import io.pageferry.agent.capture.frame.Values;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32C;

/** Who owns the guest, as far as it was said; PROTOCOL.md §2 and §7. */
final class Handover {
    private final Session session;
    private final Set<Long> completed = new HashSet<>();
    private final Map<Long, FrameType> words = new HashMap<>();
    private final ArrayDeque<Values> asked = new ArrayDeque<>();
    private final CRC32C stateSum = new CRC32C();
    private long epoch;
    private long stateLength;
    private boolean switching;
    private boolean mismatch;
    private Values complete;
    private long ready = -1;
    private long granted = -1;

    Handover(Session session, long epoch) {
        this.session = session;
        this.epoch = epoch;
    }

    /** {@return the highest epoch that was used} */
    long epoch() {
        return epoch;
    }

    boolean isGranted() {
        return granted >= 0;
    }

    /** A link was lost, and what came of a switch-over with it; RESUME names the highest epoch. */
    void restart(long highest) {
        epoch = highest;
        switching = false;
        complete = null;
        mismatch = false;
    }

    /** A batch comes. */
    void batch() throws Breach {
        unless(complete == null, Rule.AFTER_COMPLETE, "a batch behind COMPLETE");
    }

    /** A message of the source that the target is told before the grant. */
    void sourceSays(FrameType type, Values values) throws Breach {
        boolean asks = type == FrameType.PAGE_CHECKSUMS_REQUEST;
        unless(granted < 0 || type == FrameType.GRANT || asks, Rule.AFTER_GRANT,
                type + " behind GRANT(" + granted + ")");
        switch (type) {
            case SWITCHOVER, STATE_CHUNK, COMPLETE, ROUND_END -> unless(complete == null,
                    Rule.AFTER_COMPLETE, type + " behind COMPLETE");
            default -> { }
        }
        switch (type) {
            case SWITCHOVER -> switchover(values.num("epoch"));
            case STATE_CHUNK -> state(values);
            case COMPLETE -> complete(values);
            case PAGE_CHECKSUMS_REQUEST -> {
                unless(mismatch || words.get(granted) == FrameType.RUNNING,
                        Rule.CHECKSUMS_PLACE, "no MISMATCH or RUNNING came before");
                unless(values.num("first") <= session.offer().pages() - values.num("count"),
                        Rule.CHECKSUMS_PAGES, values.num("count") + " pages from "
                        + values.num("first") + " of " + session.offer().pages());
                asked.add(values);
            }
            case GRANT -> {
                unless(ready == values.num("epoch"), Rule.GRANT_READY, "GRANT("
                        + values.num("epoch") + ") without its READY");
                granted = values.num("epoch");
            }
            default -> { }
        }
    }

    private void switchover(long next) throws Breach {
        unless(next == epoch + 1, Rule.SWITCHOVER_EPOCH, "epoch " + next + " behind " + epoch);
        epoch = next;
        switching = true;
        stateLength = 0;
        stateSum.reset();
    }

    private void state(Values chunk) throws Breach {
        unless(switching && chunk.num("epoch") == epoch, Rule.STATE_PLACE, "device state of epoch "
                + chunk.num("epoch") + (switching ? " in epoch " + epoch : " without SWITCHOVER"));
        unless(chunk.num("offset") == stateLength, Rule.STATE_OFFSET, "offset "
                + chunk.num("offset") + " behind " + stateLength + " bytes");
        stateLength += chunk.num("length");
        stateSum.update(chunk.bytes("data"));
    }

    private void complete(Values all) throws Breach {
        long its = all.num("epoch");
        unless(switching && its == epoch, Rule.COMPLETE_PLACE, "COMPLETE(" + its + ")"
                + (switching ? " in epoch " + epoch : " without SWITCHOVER"));
        unless(all.num("left") == 0, Rule.COMPLETE_LEFT, all.num("left") + " pages are left");
        unless(all.num("length") == stateLength, Rule.COMPLETE_LENGTH, "a device state of "
                + all.num("length") + " bytes, and " + stateLength + " were sent");
        unless(all.num("crc") == stateSum.getValue(), Rule.COMPLETE_CHECKSUM,
                "the device state has another checksum");
        session.rounds().complete(all.list("sequences"));
        unless(!session.isDigestKnown() || all.num("digest") == session.pages().digest(),
                Rule.COMPLETE_DIGEST, "the digest is not that of the pages that were sent");
        complete = all;
        completed.add(its);
    }

    /** A message of the target about this attempt. */
    void targetSays(FrameType type, Values values) throws Breach {
        switch (type) {
            case READY -> ready(values);
            case MISMATCH -> mismatch(values);
            case PAGE_CHECKSUMS -> {
                Values question = asked.poll();
                unless(question != null && question.num("first") == values.num("first")
                        && question.num("count") == values.num("count"), Rule.CHECKSUMS_ANSWER,
                        values.num("count") + " from " + values.num("first")
                        + " were not asked for");
            }
            default -> { }
        }
    }

    private void ready(Values values) throws Breach {
        long its = values.num("epoch");
        unless(complete != null && its == epoch && ready != its && !mismatch, Rule.READY_PLACE,
                "READY(" + its + ")" + (ready == its ? " once more" : " without its COMPLETE"));
        unless(session.offer().verification() == 0
                || values.num("digest") == complete.num("digest"), Rule.READY_DIGEST,
                "the digest is not that of COMPLETE");
        ready = its;
    }

    private void mismatch(Values found) throws Breach {
        long pages = session.offer().pages();
        long per = found.num("per");
        unless(complete != null && found.num("epoch") == epoch && ready != epoch && !mismatch,
                Rule.MISMATCH_PLACE, "MISMATCH(" + found.num("epoch") + ")");
        unless(found.num("digest") != complete.num("digest"), Rule.MISMATCH_EQUAL,
                "the digest is that of COMPLETE");
        long sum = 0;
        for (long one : found.list("digests")) {
            sum += one;
        }
        unless(found.num("blocks") == (pages - 1) / per + 1 && sum == found.num("digest"),
                Rule.MISMATCH_BLOCKS, found.num("blocks") + " blocks of " + per + " pages are not "
                + pages + ", or do not add up to the digest");
        mismatch = true;
    }

    /** What became of the guest, on whichever connection it is said. */
    void word(FrameType word, long its) throws Breach {
        if (word == FrameType.REFUSED) {
            unless(completed.contains(its), Rule.REFUSED_PLACE, "REFUSED(" + its
                    + ") without its COMPLETE");
        } else {
            unless(granted == its, Rule.WORD_GRANTED, word + "(" + its + ") without its GRANT");
        }
        FrameType before = words.putIfAbsent(its, word);
        unless(before == null || before == word, Rule.WORD_ONCE, word + "(" + its + ") behind "
                + before);
    }

    void farewell(long its) throws Breach {
        unless(words.containsKey(its), Rule.FAREWELL_PLACE, "FAREWELL(" + its
                + ") before the target said what became of the guest");
    }
}
