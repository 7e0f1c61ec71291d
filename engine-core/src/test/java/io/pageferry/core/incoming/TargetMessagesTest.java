package io.pageferry.core.incoming;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.testing.Samples;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every message in every state of a target: what is legal there, and what anything else does. */
class TargetMessagesTest {
    /** What a message does before READY. */
    private enum Effect {
        /** Nothing is said and nothing changes. */
        TAKEN,
        /** An answer, and nothing changes. */
        ANSWERED,
        /** HELLO makes room. */
        RESERVES,
        /** COMPLETE for another image. */
        MISMATCHES,
        /** The session ends for the code that it brings. */
        ENDS,
        /** The session ends for a broken rule. */
        VIOLATES
    }

    /** A moment, how to get there, and the effects there that are no violation. */
    private record Row(String name, Supplier<TargetRig> rig, Map<Class<?>, Effect> effects) {
        boolean takesPages() {
            return effects.containsKey(Message.RoundEnd.class) && !name.equals("complete")
                    && !name.equals("reserved");
        }

        Effect of(Message message) {
            return switch (message) {
                case Message.Heartbeat heartbeat -> Effect.TAKEN;
                case Message.MemoryAccess access when !name.equals("waiting") -> Effect.TAKEN;
                case Message.Status status -> Effect.ANSWERED;
                case Message.Cancel cancel -> Effect.ENDS;
                case Message.Failure failure -> Effect.ENDS;
                default -> effects.getOrDefault(message.getClass(), Effect.VIOLATES);
            };
        }
    }

    private static final List<Row> BEFORE_READY = List.of(
            new Row("waiting", () -> TargetRig.in(TargetState.WAITING),
                    Map.of(Message.Hello.class, Effect.RESERVES)),
            new Row("reserved", () -> TargetRig.in(TargetState.RESERVED),
                    Map.of(Message.RoundEnd.class, Effect.ANSWERED,
                            Message.Switchover.class, Effect.TAKEN)),
            new Row("receiving", () -> TargetRig.in(TargetState.RECEIVING),
                    Map.of(Message.RoundEnd.class, Effect.ANSWERED,
                            Message.Switchover.class, Effect.TAKEN)),
            new Row("switched over", TargetRig::switchedOver,
                    Map.of(Message.RoundEnd.class, Effect.ANSWERED,
                            Message.StateChunk.class, Effect.TAKEN,
                            Message.Complete.class, Effect.MISMATCHES)),
            new Row("complete", TargetRig::complete,
                    Map.of(Message.RoundEnd.class, Effect.ANSWERED)),
            new Row("mismatched", TargetRig::mismatched,
                    Map.of(Message.PageChecksumsRequest.class, Effect.ANSWERED)));

    /** States with a last word, and the word. */
    private static final Map<TargetState, Class<? extends Message>> DECIDED = Map.of(
            TargetState.REFUSED, Message.Refused.class,
            TargetState.RETURNED, Message.Returned.class,
            TargetState.RUNNING, Message.Running.class);

    private static final Set<Class<?>> ANSWERED_BY_WORD =
            Set.of(Message.Grant.class, Message.Status.class);

    @TestFactory
    Stream<DynamicTest> beforeReady() {
        return BEFORE_READY.stream().flatMap(row -> samples(1)
                .map(message -> test(row.name, message, () -> beforeReady(row, message))));
    }

    @TestFactory
    Stream<DynamicTest> ready() {
        return samples(1).map(message -> test("ready", message, () -> {
            try (TargetRig rig = TargetRig.in(TargetState.READY)) {
                int before = rig.received.size();
                rig.say(message);
                rig.turn();
                switch (message) {
                    case Message.Grant grant -> assertRuns(rig);
                    case Message.Status status -> {
                        assertEquals(TargetState.READY, rig.target.state());
                        assertEquals(1, rig.last(Message.StatusUnknown.class).epoch());
                    }
                    case Message.Heartbeat heartbeat -> assertUntouched(rig, before);
                    case Message.MemoryAccess access -> assertUntouched(rig, before);
                    case Message.Farewell farewell -> assertUntouched(rig, before);
                    default -> {
                        assertRefused(rig);
                        if (rig.heard(Message.Failure.class) > 0) {
                            assertNamed(rig, TargetState.READY, message, false);
                        }
                        assertEquals(codeOf(message) != ErrorCode.PROTOCOL_VIOLATION,
                                rig.heard(Message.Failure.class) == 0);
                    }
                }
            }
        }));
    }

    @TestFactory
    Stream<DynamicTest> otherEpochsDecideNothingInReady() {
        return Stream.of(0L, 2L).flatMap(epoch -> Stream.of(new Message.Grant(epoch, true),
                new Message.Status(TargetRig.ID, epoch), new Message.Farewell(epoch, 1, 1))
                .map(message -> test("ready, epoch " + epoch, message, () -> {
                    try (TargetRig rig = TargetRig.in(TargetState.READY)) {
                        rig.say(message);
                        rig.turn();
                        assertEquals(TargetState.READY, rig.target.state());
                        assertFalse(rig.guest.isRunning());
                        assertEquals(message instanceof Message.Farewell ? 0 : 1,
                                rig.heard(Message.StatusUnknown.class));
                    }
                })));
    }

    @TestFactory
    Stream<DynamicTest> decidedIsDecided() {
        return DECIDED.keySet().stream().flatMap(state -> samples(1)
                .map(message -> test(state.label(), message, () -> decided(state, message))));
    }

    @TestFactory
    Stream<DynamicTest> otherEpochsDecideNothingAfterwards() {
        return DECIDED.keySet().stream().flatMap(state -> Stream.of(0L, 2L)
                .flatMap(epoch -> Stream.of(new Message.Grant(epoch, true),
                        new Message.Status(TargetRig.ID, epoch),
                        new Message.Farewell(epoch, 1, 1)))
                .map(message -> test(state.label() + ", other epoch", message, () -> {
                    try (TargetRig rig = TargetRig.in(state)) {
                        long words = rig.heard(DECIDED.get(state));
                        rig.say(message);
                        rig.turn();
                        assertEquals(state, rig.target.state());
                        assertEquals(words, rig.heard(DECIDED.get(state)));
                    }
                })));
    }

    @TestFactory
    Stream<DynamicTest> endedIsDeaf() {
        return samples(1).map(message -> test("ended", message, () -> {
            try (TargetRig rig = TargetRig.in(TargetState.ENDED)) {
                List<String> before = rig.log.events();
                int said = rig.received.size();
                rig.say(message);
                rig.turn();
                assertEquals(before, rig.log.events());
                assertEquals(said, rig.received.size());
            }
        }));
    }

    @Test
    void pagesAreWelcomeOnlyWhileTheyMayStillCount() {
        try (TargetRig rig = TargetRig.in(TargetState.RECEIVING)) {
            rig.sendPages(1);
            rig.turn();
            assertEquals(TargetState.RECEIVING, rig.target.state());
            assertEquals(0, rig.source().pages().unacknowledged());
        }
        for (Supplier<TargetRig> late : List.<Supplier<TargetRig>>of(TargetRig::complete,
                TargetRig::mismatched)) {
            try (TargetRig rig = late.get()) {
                rig.sendPages(1);
                rig.turns(2);
                assertEquals(Result.FAILED, rig.outcome().result());
                assertEquals(1, rig.source().pages().unacknowledged());
                assertNothingLoaded(rig);
            }
        }
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.sendPages(1);
            rig.turn();
            assertRefused(rig);
        }
    }

    private static void beforeReady(Row row, Message message) {
        try (TargetRig rig = row.rig.get()) {
            TargetState before = rig.target.state();
            int said = rig.received.size();
            rig.say(message);
            rig.turns(2);
            Effect effect = row.of(message);
            switch (effect) {
                case TAKEN -> assertEquals(said, rig.received.size(), rig.received.toString());
                case ANSWERED -> assertEquals(answerTo(message),
                        rig.received.get(said).getClass());
                case RESERVES -> assertEquals(TargetState.RESERVED, rig.target.state());
                case MISMATCHES -> assertEquals(1, rig.heard(Message.Mismatch.class));
                case ENDS, VIOLATES -> assertEnded(rig, row, codeOf(message));
            }
            if (effect == Effect.VIOLATES) {
                assertEquals(ErrorCode.PROTOCOL_VIOLATION,
                        rig.last(Message.Failure.class).code());
                assertNamed(rig, before, message, row.takesPages());
            }
            if (effect == Effect.TAKEN || effect == Effect.ANSWERED) {
                assertEquals(begins(message) && before == TargetState.RESERVED
                        ? TargetState.RECEIVING : before, rig.target.state());
            }
            assertNothingLoaded(rig);
        }
    }

    /** What a source says only once it sends pages, or has none to send. */
    private static boolean begins(Message message) {
        return message instanceof Message.RoundEnd || message instanceof Message.Switchover;
    }

    /** What does not fit names state and message; these two fit, but not with what they say. */
    private static void assertNamed(TargetRig rig, TargetState state, Message message,
            boolean takesPages) {
        boolean fits = takesPages && (message instanceof Message.Switchover
                || message instanceof Message.Complete);
        String named = fits ? "epoch" : "unexpected " + message.getClass().getSimpleName() + " in "
                + state;
        String reason = rig.last(Message.Failure.class).reason();
        assertTrue(reason.contains(named), reason);
    }

    private static Class<?> answerTo(Message message) {
        return switch (message) {
            case Message.Status status -> Message.StatusUnknown.class;
            case Message.RoundEnd end -> Message.RoundApplied.class;
            case Message.PageChecksumsRequest request -> Message.PageChecksums.class;
            default -> throw new AssertionError("nobody answers " + message);
        };
    }

    private static ErrorCode codeOf(Message message) {
        return switch (message) {
            case Message.Cancel cancel -> cancel.code();
            case Message.Failure failure -> failure.code();
            default -> ErrorCode.PROTOCOL_VIOLATION;
        };
    }

    private static void assertEnded(TargetRig rig, Row row, ErrorCode code) {
        boolean asked = row.name.equals("waiting") || row.name.equals("reserved");
        assertEquals(asked ? Result.REFUSED : Result.FAILED, rig.outcome().result());
        assertEquals(row.name.equals("mismatched") ? ErrorCode.DIGEST_MISMATCH : code,
                rig.outcome().code());
        // Nothing is made before the first page; what was made goes without a trace.
        assertEquals(asked ? 0 : 1, rig.log.count("target.discard"), rig.log.toString());
        assertEquals(!asked, rig.recorded(JournalState.SETTLED), rig.log.toString());
    }

    private static void assertNothingLoaded(TargetRig rig) {
        assertFalse(rig.guest.isLoaded());
        assertFalse(rig.recorded(JournalState.PREPARED));
        assertEquals(0, rig.heard(Message.Ready.class));
    }

    private static void decided(TargetState state, Message message) {
        try (TargetRig rig = TargetRig.in(state)) {
            boolean runs = rig.guest.isRunning();
            List<JournalState> records = rig.journal.states();
            long words = rig.heard(DECIDED.get(state));
            rig.say(message);
            rig.turn();
            assertEquals(runs, rig.guest.isRunning());
            assertEquals(state == TargetState.RUNNING, runs);
            assertEquals(records, rig.journal.states());
            if (rig.heard(Message.Failure.class) > 0) {
                assertNamed(rig, state, message, false);
            }
            if (message instanceof Message.Farewell) {
                assertEquals(TargetState.ENDED, rig.target.state());
                assertEquals(runs ? Result.COMPLETED : Result.FAILED, rig.outcome().result());
            } else {
                assertEquals(state, rig.target.state());
            }
            assertEquals(words + (ANSWERED_BY_WORD.contains(message.getClass()) ? 1 : 0),
                    rig.heard(DECIDED.get(state)), rig.received.toString());
        }
    }

    private static void assertRuns(TargetRig rig) {
        assertEquals(TargetState.RUNNING, rig.target.state());
        assertTrue(rig.log.inOrder("target.J(PREPARED 1)", "target.load", "target: ready 1",
                "target.J(ACTIVE 1)", "target.resume", "target.J(RUNNING 1)"),
                rig.log.toString());
        assertEquals(1, rig.last(Message.Running.class).epoch());
        assertEquals(0, rig.guest.wrongPages());
    }

    private static void assertUntouched(TargetRig rig, int said) {
        assertEquals(TargetState.READY, rig.target.state());
        assertEquals(said, rig.received.size());
        assertFalse(rig.guest.isRunning());
    }

    private static void assertRefused(TargetRig rig) {
        assertEquals(TargetState.REFUSED, rig.target.state(), rig.log.toString());
        assertTrue(rig.log.inOrder("target.J(PREPARED 1)", "target.load", "target.J(REFUSED 1)",
                "target.discard"), rig.log.toString());
        assertEquals(1, rig.heard(Message.Refused.class));
        assertEquals(0, rig.log.count("target.resume"));
        assertFalse(rig.guest.isRunning());
    }

    private static Stream<Message> samples(long epoch) {
        return Samples.all(TargetRig.ID, epoch).stream();
    }

    private static DynamicTest test(String state, Message message, Runnable body) {
        return dynamicTest(state + ": " + message.getClass().getSimpleName(), body::run);
    }
}
