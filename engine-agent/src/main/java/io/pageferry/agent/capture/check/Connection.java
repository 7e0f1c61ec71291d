package io.pageferry.agent.capture.check;

import static io.pageferry.agent.capture.frame.Breach.unless;

import io.pageferry.agent.capture.frame.Breach;
import io.pageferry.agent.capture.frame.Cutter;
import io.pageferry.agent.capture.frame.Frame;
import io.pageferry.agent.capture.frame.FrameType;
import io.pageferry.agent.capture.frame.FrameType.From;
import io.pageferry.agent.capture.frame.FrameType.On;
import io.pageferry.agent.capture.frame.Offer;
import io.pageferry.agent.capture.frame.Preamble;
import io.pageferry.agent.capture.frame.Rule;
import io.pageferry.agent.capture.frame.Values;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** One connection: what it is for, and where its frames belong. */
final class Connection {
    /** The one version that PROTOCOL.md describes. */
    private static final int VERSION = 1;

    private final Sessions sessions;
    private final Batches batches;
    private final Proofs proofs = new Proofs();
    private final Direction source = new Direction(From.SOURCE);
    private final Direction target = new Direction(From.TARGET);
    private final Set<Long> questions = new HashSet<>();
    private On place = On.ANY;
    private boolean asks;
    private boolean stopped;
    private boolean unknown;
    private Session session;
    private Values resume;
    private Channel channel;

    Connection(Sessions sessions, Batches batches) {
        this.sessions = sessions;
        this.batches = batches;
    }

    /** What one side sends. */
    private final class Direction implements Cutter.Receiver {
        private final From from;
        private final Cutter cutter = new Cutter(this);
        private Preamble preamble;
        private boolean failed;
        private boolean cancelled;
        private long beat = Long.MIN_VALUE;

        Direction(From from) {
            this.from = from;
        }

        @Override
        public void preamble(Preamble read) {
            preamble = read;
        }

        @Override
        public void frame(Frame frame) throws Breach {
            unless(source.preamble != null && target.preamble != null, Rule.VERSION,
                    "a frame before both preambles");
            int version = Math.min(source.preamble.highest(), target.preamble.highest());
            unless(version == VERSION && source.preamble.lowest() == VERSION
                    && target.preamble.lowest() == VERSION, Rule.VERSION, "a frame, and the"
                    + " preambles have not version 1 in common as their highest");
            unless(!failed, Rule.AFTER_FAILURE, "a frame behind FAILURE");
            FrameType type = frame.type();
            if (type == null) {
                return;
            }
            unless(type.isFrom(from), Rule.MESSAGE_SIDE, type + " from the "
                    + (from == From.SOURCE ? "source" : "target"));
            unless(!cancelled || mayFollowCancel(type), Rule.AFTER_CANCEL,
                    type + " behind CANCEL");
            if (proofs.take(from, type, cutter.frames() == 1)) {
                return;
            }
            Connection.this.frame(this, frame, type == FrameType.HELLO || type == FrameType.BATCH
                    ? null : type.read(frame.body()));
        }

        /** Streams have threads of their own, which learn of it later. */
        private static boolean mayFollowCancel(FrameType type) {
            return switch (type) {
                case HEARTBEAT, FAILURE, FAREWELL, STREAM_CREDIT, STREAM_DATA, STREAM_END -> true;
                default -> false;
            };
        }

        /** Takes what is not about a session; false for all that may be. */
        private boolean ownWord(FrameType type, Values values) throws Breach {
            if (type == FrameType.HEARTBEAT) {
                unless(beat == Long.MIN_VALUE || values.num("nanos") - beat >= 0,
                        Rule.HEARTBEAT_CLOCK, "the clock of HEARTBEAT went back");
                beat = values.num("nanos");
            }
            failed |= type == FrameType.FAILURE;
            return type == FrameType.HEARTBEAT || failed;
        }
    }

    /** Takes bytes; what is behind a breach is left alone. */
    void take(From from, ByteBuffer bytes) throws Breach {
        if (stopped || session != null && session.isBroken()) {
            return;
        }
        unless(from == From.SOURCE || source.preamble != null, Rule.PREAMBLE_ORDER,
                "the target sends before the source's preamble");
        (from == From.SOURCE ? source : target).cutter.take(bytes);
    }

    /** A rule does not hold here. */
    void breaks() {
        stopped = true;
        if (session != null) {
            session.breaks();
        }
        if (session == null ? place == On.ANY : !session.isWelcomed()) {
            sessions.missOne();
        }
    }

    long offset(From from) {
        return (from == From.SOURCE ? source : target).cutter.offset();
    }

    long frames() {
        return source.cutter.frames() + target.cutter.frames();
    }

    private void frame(Direction direction, Frame frame, Values values) throws Breach {
        FrameType type = frame.type();
        if (direction.ownWord(type, values)) {
            return;
        }
        if (place == On.ANY) {
            first(type, frame, values);
            return;
        }
        unless(type != FrameType.HELLO && type != FrameType.RESUME
                && type != FrameType.CHANNEL_HELLO, Rule.FIRST_AGAIN,
                type + " is not the first message");
        unless(type.place() == place, Rule.MESSAGE_PLACE, type + " on a "
                + (place == On.DATA ? "data" : "control") + " connection");
        if (unknown) {
            return;
        }
        if (place == On.DATA) {
            data(type, frame, values);
        } else {
            control(direction, type, values);
        }
    }

    private void first(FrameType type, Frame frame, Values values) throws Breach {
        switch (type) {
            case HELLO -> {
                Offer offer = Offer.read(frame.body());
                place = On.CONTROL;
                session = sessions.begin(offer, this);
            }
            case RESUME -> {
                place = On.CONTROL;
                find(sessions.ofMigration(values.uuid("migration")));
                if (isJudged()) {
                    session.resume(values);
                }
                resume = values;
            }
            case STATUS -> {
                place = On.CONTROL;
                asks = true;
                find(sessions.ofMigration(values.uuid("migration")));
                unknown = false;
                questions.add(values.num("epoch"));
            }
            case CHANNEL_HELLO -> {
                place = On.DATA;
                find(sessions.ofToken(values.uuid("token")));
                unless(!unknown || sessions.missesSome(), Rule.CHANNEL_TOKEN,
                        "the token belongs to no session");
                channel = isJudged() ? session.attach(values) : null;
            }
            default -> throw new Breach(Rule.FIRST_MESSAGE, type + " is first");
        }
    }

    /** Takes a session; of one that began before the capture nothing is known. */
    private void find(Optional<Session> found) {
        session = found.orElse(null);
        unknown = found.isEmpty();
    }

    /** Whether there is a session, and nothing was wrong in it so far. */
    private boolean isJudged() {
        return session != null && !session.isBroken();
    }

    private void data(FrameType type, Frame frame, Values values) throws Breach {
        boolean over = channel.isOver();
        switch (type) {
            case CHANNEL_READY -> {
                unless(!channel.isLate(), Rule.CHANNEL_GENERATION, "a channel of generation "
                        + channel.generation() + " is attached in " + session.generation());
                channel.answered(values);
            }
            case BATCH -> {
                unless(channel.isReady(), Rule.BATCH_EARLY, "a batch before CHANNEL_READY");
                if (!over) {
                    batches.check(channel, frame);
                }
            }
            default -> {
                unless(channel.isReady(), Rule.CHANNEL_ANSWER, type + " before CHANNEL_READY");
                if (!over) {
                    channel.ack(values);
                }
            }
        }
    }

    private void control(Direction direction, FrameType type, Values values) throws Breach {
        direction.cancelled |= type == FrameType.CANCEL;
        switch (type) {
            case WELCOME -> welcome(values);
            case STATUS -> questions.add(values.num("epoch"));
            case STATUS_UNKNOWN -> unless(questions.contains(values.num("epoch")),
                    Rule.STATUS_EPOCH, "epoch " + values.num("epoch") + " was not asked about");
            case RUNNING, REFUSED, RETURNED -> {
                unless(!asks || questions.contains(values.num("epoch")), Rule.STATUS_EPOCH,
                        "epoch " + values.num("epoch") + " was not asked about");
                if (session != null) {
                    session.handover().word(type, values.num("epoch"));
                }
            }
            case FAREWELL -> {
                if (session != null) {
                    session.handover().farewell(values.num("epoch"));
                }
            }
            default -> about(direction.from, type, values);
        }
    }

    private void welcome(Values answer) throws Breach {
        if (resume == null) {
            unless(!asks, Rule.WELCOME_PLACE, "WELCOME for STATUS");
            session.welcome(answer);
            sessions.welcomed(session);
        } else {
            unless(!session.has(this), Rule.WELCOME_PLACE, "WELCOME once more");
            session.goOn(this, resume, answer);
        }
    }

    /** Takes a message about the session itself. */
    private void about(From from, FrameType type, Values values) throws Breach {
        unless(!asks, Rule.MESSAGE_PLACE, type + " on a connection that asks for a STATUS");
        boolean welcomed = session.isWelcomed() && (resume == null || session.has(this));
        unless(welcomed || type == FrameType.CANCEL || channelIsOver(),
                Rule.BEFORE_WELCOME, type + " before WELCOME");
        if (type == FrameType.GRANT) {
            questions.add(values.num("epoch"));
        }
        if (welcomed && session.has(this)) {
            session.take(from, type, values);
        }
    }

    /** Whether this was the session's connection, and another one is now. */
    private boolean channelIsOver() {
        return session.isWelcomed() && !session.has(this) && resumed();
    }

    private boolean resumed() {
        return resume == null || resume.num("generation") < session.generation();
    }
}
