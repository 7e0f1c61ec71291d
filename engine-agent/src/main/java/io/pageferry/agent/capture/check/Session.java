package io.pageferry.agent.capture.check;

import static io.pageferry.agent.capture.frame.Breach.unless;

import io.pageferry.agent.capture.frame.Breach;
import io.pageferry.agent.capture.frame.FrameType;
import io.pageferry.agent.capture.frame.FrameType.From;
import io.pageferry.agent.capture.frame.Offer;
import io.pageferry.agent.capture.frame.Rule;
import io.pageferry.agent.capture.frame.Values;
import java.util.Collection;
import java.util.TreeMap;
import java.util.UUID;

/** One migration over any number of connections; PROTOCOL.md §7. */
final class Session {
    private static final long MANDATORY = 0xFFFF_FFFF_0000_0000L;
    private static final long BACKLOG = 1L << 2;
    private static final long GIVEN = 1L << 32 | 0b111;

    private final Sessions sessions;
    private final Offer offer;
    private final PageSums pages;
    private final Rounds rounds;
    private final Handover handover;
    private final Streams streams;
    private final TreeMap<Integer, Channel> open = new TreeMap<>();
    private Connection control;
    private Values welcome;
    private long asked = 1;
    private boolean gaps;
    private boolean broken;

    Session(Sessions sessions, Offer offer, Connection control) {
        this.sessions = sessions;
        this.offer = offer;
        this.control = control;
        this.pages = new PageSums(offer.pages());
        this.rounds = new Rounds(this);
        this.handover = new Handover(this, offer.epoch());
        this.streams = new Streams(this);
    }

    Offer offer() {
        return offer;
    }

    PageSums pages() {
        return pages;
    }

    Rounds rounds() {
        return rounds;
    }

    Handover handover() {
        return handover;
    }

    boolean isWelcomed() {
        return welcome != null;
    }

    UUID token() {
        return welcome.uuid("token");
    }

    long generation() {
        return welcome.num("generation");
    }

    long features() {
        return welcome.num("features");
    }

    int channels() {
        return welcome.small("channels");
    }

    int window() {
        return welcome.small("window");
    }

    /** {@return batches that an acknowledgement may say to wait} */
    int mostWaiting() {
        return (features() & BACKLOG) == 0 ? 0 : window();
    }

    /** {@return the channels of this generation that are in the capture} */
    Collection<Channel> open() {
        return open.values();
    }

    /** Whether the digest of what was sent can be known, and is what the protocol wants. */
    boolean isDigestKnown() {
        return offer.verification() == 1 && isSentKnown() && pages.canSum();
    }

    /** Whether all that was sent of its pages is in the capture. */
    boolean isSentKnown() {
        return !gaps && !sessions.missesSome() && open.size() == channels();
    }

    boolean isBroken() {
        return broken;
    }

    /** Leaves the rest of it alone. */
    void breaks() {
        broken = true;
    }

    /** Whether a control connection is the one that the session has now. */
    boolean has(Connection connection) {
        return control == connection;
    }

    void welcome(Values answer) throws Breach {
        unless(welcome == null, Rule.WELCOME_PLACE, "WELCOME once more");
        unless(answer.num("generation") == 1, Rule.WELCOME_GENERATION, "generation "
                + answer.num("generation") + " for HELLO");
        long features = answer.num("features");
        unless((features & ~(offer.features() & GIVEN)) == 0
                && (offer.features() & MANDATORY & ~features) == 0, Rule.WELCOME_FEATURES,
                "features " + Long.toHexString(features) + " for "
                + Long.toHexString(offer.features()));
        unless(answer.num("channels") <= offer.channels(), Rule.WELCOME_CHANNELS,
                answer.num("channels") + " channels, and " + offer.channels() + " were wanted");
        welcome = answer;
    }

    /** Takes a RESUME. */
    void resume(Values resume) throws Breach {
        unless(resume.uuid("token").equals(token()), Rule.RESUME_TOKEN,
                "the token is not the session's");
        unless(!handover.isGranted(), Rule.AFTER_GRANT, "RESUME behind GRANT");
        // One that was late on its way comes behind another; only its sender knows the order.
        unless(!sessions.isOfSource() || resume.num("generation") > asked,
                Rule.RESUME_GENERATION, "generation " + resume.num("generation") + " behind "
                + asked);
        unless(resume.num("epoch") >= handover.epoch() || resume.num("generation") <= generation(),
                Rule.RESUME_EPOCH, "epoch " + resume.num("epoch") + ", and " + handover.epoch()
                + " was used");
        asked = Math.max(asked, resume.num("generation"));
    }

    void goOn(Connection fresh, Values resume, Values answer) throws Breach {
        long next = answer.num("generation");
        unless(next == resume.num("generation"), Rule.WELCOME_GENERATION, "generation " + next
                + ", and RESUME asked for " + resume.num("generation"));
        unless(next > generation(), Rule.RESUME_GENERATION, "generation " + next
                + " is granted behind " + generation());
        unless(answer.uuid("token").equals(token()) && answer.num("features") == features()
                && answer.num("channels") == channels(), Rule.WELCOME_SAME,
                "token, features or channels are not those of the session");
        gaps |= open.size() != channels() && !open.isEmpty();
        welcome = answer;
        control = fresh;
        open.clear();
        pages.nextRound();
        rounds.restart();
        handover.restart(resume.num("epoch"));
    }

    Channel attach(Values hello) throws Breach {
        long generation = hello.num("generation");
        int number = hello.small("channel");
        unless(generation <= generation(), Rule.CHANNEL_GENERATION, "generation " + generation
                + ", and the session is at " + generation());
        unless(number < channels(), Rule.CHANNEL_NUMBER, "channel " + number + " of "
                + channels());
        Channel channel = new Channel(this, generation, number);
        if (!channel.isOver()) {
            unless(open.putIfAbsent(number, channel) == null, Rule.CHANNEL_TWICE,
                    "channel " + number + " is attached already");
        }
        return channel;
    }

    /** Takes a message on the control connection that the session has now. */
    void take(From from, FrameType type, Values values) throws Breach {
        switch (type) {
            case STREAM_CREDIT, STREAM_DATA, STREAM_END -> streams.take(from, type, values);
            case ROUND_APPLIED -> rounds.applied(values.num("round"));
            case ROUND_VERIFIED -> rounds.verified(values.num("round"));
            case PAGES_OWED -> rounds.owed(values.list("pages"));
            case ROUND_END, SWITCHOVER, STATE_CHUNK, COMPLETE, PAGE_CHECKSUMS_REQUEST, GRANT -> {
                handover.sourceSays(type, values);
                if (type == FrameType.ROUND_END) {
                    rounds.end(values);
                }
            }
            case MEMORY_ACCESS -> { }
            case CANCEL -> {
                if (from == From.SOURCE) {
                    handover.sourceSays(type, values);
                }
            }
            default -> handover.targetSays(type, values);
        }
    }
}
