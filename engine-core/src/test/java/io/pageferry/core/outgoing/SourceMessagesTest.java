package io.pageferry.core.outgoing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.testing.Samples;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every message in every state of a source: what is legal there, and what anything else does. */
class SourceMessagesTest {
    /** A state, how to get there, which messages leave it as it is, and which end it otherwise. */
    private record Row(String name, Supplier<SourceRig> rig, Set<Class<?>> ignored,
            Set<Class<?>> special) { }

    private static final Set<Class<?>> ROUNDS =
            Set.of(Message.Heartbeat.class, Message.MemoryAccess.class,
            Message.RoundApplied.class,
            Message.RoundVerified.class);

    /** While a barrier waits for its answer. */
    private static final Set<Class<?>> BARRIER =
            Set.of(Message.Heartbeat.class, Message.MemoryAccess.class,
            Message.RoundApplied.class,
            Message.RoundVerified.class, Message.PagesOwed.class);

    private static final List<Row> BEFORE_GRANTED = List.of(
            new Row("negotiating", () -> SourceRig.in(SourceState.NEGOTIATING),
                    Set.of(Message.Heartbeat.class, Message.MemoryAccess.class),
                    Set.of(Message.Welcome.class)),
            new Row("precopy", () -> {
                SourceRig rig = SourceRig.in(SourceState.PRECOPY);
                rig.turns(3);
                return rig;
            }, BARRIER, Set.of()),
            new Row("switchover", () -> SourceRig.in(SourceState.SWITCHOVER), BARRIER, Set.of()),
            new Row("complete", SourceRig::complete, ROUNDS, Set.of(Message.Mismatch.class)));

    @Test
    void everyTypeIsAmongTheSamples() {
        assertEquals(Stream.of(Message.class, Message.Streamed.class)
                .flatMap(type -> Stream.of(type.getPermittedSubclasses()))
                .filter(Class::isRecord).collect(Collectors.toSet()),
                Samples.all(SourceRig.ID, 1).stream().map(Object::getClass)
                        .collect(Collectors.toSet()));
    }

    @TestFactory
    Stream<DynamicTest> beforeTheGrant() {
        return BEFORE_GRANTED.stream().flatMap(row -> samples().map(message -> test(row.name,
                message, () -> beforeTheGrant(row, message))));
    }

    @TestFactory
    Stream<DynamicTest> granted() {
        return samples().map(message -> test("granted", message, () -> {
            try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
                rig.say(message);
                rig.turn();
                switch (message) {
                    case Message.Running running -> {
                        rig.quiet();
                        assertEquals(Result.COMPLETED, rig.outcome().result());
                        assertTrue(rig.log.inOrder("source.J(DONE 1)", "source.end",
                                "source.J(SETTLED 1)"), rig.log.toString());
                        assertEquals(1, rig.last(Message.Farewell.class).epoch());
                    }
                    case Message.Refused refused -> assertOwnedAgain(rig);
                    case Message.Returned returned -> assertOwnedAgain(rig);
                    default -> {
                        assertEquals(SourceState.GRANTED, rig.source.state());
                        assertFalse(rig.guest.isRunning());
                    }
                }
            }
        }));
    }

    /** Whatever else such a message does, it is found again in the report or in the log. */
    @TestFactory
    Stream<DynamicTest> whatDoesNotFitNamesStateAndMessage() {
        Row granted = new Row("granted", () -> SourceRig.in(SourceState.GRANTED), ROUNDS,
                Set.of(Message.Running.class, Message.StatusUnknown.class));
        return Stream.concat(BEFORE_GRANTED.stream(), Stream.of(granted))
                .flatMap(row -> samples()
                        .filter(message -> !row.ignored.contains(message.getClass())
                                && !row.special.contains(message.getClass())
                                && codeOf(message, row) == ErrorCode.PROTOCOL_VIOLATION)
                        .map(message -> test(row.name + " misfit", message, () -> {
                            try (SourceRig rig = row.rig.get()) {
                                String named = "unexpected " + message.getClass().getSimpleName()
                                        + " in " + rig.source.state();
                                rig.say(message);
                                rig.turns(2);
                                String said = rig.source.outcome().map(Outcome::reason)
                                        .orElseGet(() -> rig.listener.lines().getLast());
                                assertTrue(said.contains(named), said);
                            }
                        })));
    }

    @TestFactory
    Stream<DynamicTest> otherEpochsSayNothingInGranted() {
        return Stream.of(0L, 2L).flatMap(epoch -> Samples.all(SourceRig.ID, epoch).stream())
                .map(message -> test("granted, other epoch", message, () -> {
                    try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
                        rig.say(message);
                        rig.turns(3);
                        assertEquals(SourceState.GRANTED, rig.source.state());
                        assertFalse(rig.guest.isRunning());
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> ownedAndEndedAreDeaf() {
        return Stream.of(SourceState.OWNED, SourceState.ENDED).flatMap(state -> samples()
                .map(message -> test(state.label(), message, () -> {
                    try (SourceRig rig = SourceRig.in(state)) {
                        List<String> before = rig.log.events();
                        rig.say(message);
                        rig.turn();
                        assertEquals(state, rig.source.state());
                        assertEquals(before, rig.log.events());
                    }
                })));
    }

    @Test
    void readyIsBelievedOnlyOfThisEpochAndWithThisDigest() {
        try (SourceRig rig = SourceRig.complete()) {
            rig.say(new Message.Ready(2, rig.ready().digest(), 1, 1));
            rig.turn();
            assertResumed(rig, Result.FAILED, ErrorCode.PROTOCOL_VIOLATION);
        }
        try (SourceRig rig = SourceRig.complete()) {
            rig.say(new Message.Ready(1, rig.ready().digest() + 1, 1, 1));
            rig.turn();
            assertResumed(rig, Result.FAILED, ErrorCode.DIGEST_MISMATCH);
        }
        try (SourceRig rig = SourceRig.complete()) {
            rig.say(rig.ready());
            rig.turn();
            assertEquals(SourceState.GRANTED, rig.source.state());
            assertTrue(rig.log.inOrder("source.J(SWITCHOVER 1)", "source.pause",
                    "source.J(GRANTED 1)"));
            assertEquals(new Message.Grant(1, true), rig.last(Message.Grant.class));
        }
    }

    @Test
    void mismatchOfAnotherEpochIsAViolation() {
        try (SourceRig rig = SourceRig.complete()) {
            rig.say(new Message.Mismatch(2, 1, 1, new long[64]));
            rig.turn();
            assertResumed(rig, Result.FAILED, ErrorCode.PROTOCOL_VIOLATION);
        }
    }

    @Test
    void roundsThatWereNotEndedCannotBeApplied() {
        for (Message early : List.of(new Message.RoundApplied(1), new Message.RoundVerified(1))) {
            try (SourceRig rig = SourceRig.in(SourceState.PRECOPY)) {
                rig.turns(3);
                rig.say(early);
                rig.turn();
                assertResumed(rig, Result.FAILED, ErrorCode.PROTOCOL_VIOLATION);
            }
        }
    }

    @Test
    void aWelcomeMustAnswerTheOffer() {
        for (Message.Welcome wrong : List.of(
                new Message.Welcome(new UUID(1, 1), 1, 0, 2, 4),
                new Message.Welcome(new UUID(1, 1), 1, 0, 0, 4),
                new Message.Welcome(new UUID(1, 1), 1, 1 << 16, 1, 4),
                new Message.Welcome(new UUID(1, 1), 1, Message.FEATURE_STORAGE, 1, 4),
                new Message.Welcome(new UUID(1, 1), 1, 0, 1, 0))) {
            try (SourceRig rig = SourceRig.in(SourceState.NEGOTIATING)) {
                rig.say(wrong);
                rig.turn();
                assertResumed(rig, Result.REFUSED, ErrorCode.PROTOCOL_VIOLATION);
            }
        }
    }

    private static void beforeTheGrant(Row row, Message message) {
        try (SourceRig rig = row.rig.get()) {
            SourceState before = rig.source.state();
            rig.say(message);
            rig.turn();
            if (row.ignored.contains(message.getClass())) {
                assertEquals(before, rig.source.state());
            } else if (message instanceof Message.Welcome && row.special.contains(
                    Message.Welcome.class)) {
                assertFalse(rig.source.isDone());
            } else if (row.special.contains(message.getClass())) {
                rig.turns(3);
                assertResumed(rig, Result.FAILED, ErrorCode.DIGEST_MISMATCH);
            } else {
                Result result = before == SourceState.NEGOTIATING ? Result.REFUSED : Result.FAILED;
                // At once: within the turn that delivered it.
                assertTrue(rig.guest.isRunning(), rig.log.toString());
                rig.turn();
                assertResumed(rig, result, codeOf(message, row));
            }
        }
    }

    private static ErrorCode codeOf(Message message, Row row) {
        return switch (message) {
            case Message.Cancel cancel -> cancel.code();
            case Message.Failure failure -> failure.code();
            case Message.Refused refused -> ErrorCode.GUEST_FAILED;
            case Message.Returned returned -> ErrorCode.GUEST_FAILED;
            case Message.Ready ready when row.name.equals("complete") -> ErrorCode.DIGEST_MISMATCH;
            default -> ErrorCode.PROTOCOL_VIOLATION;
        };
    }

    private static void assertResumed(SourceRig rig, Result result, ErrorCode code) {
        rig.turn();
        assertEquals(result, rig.outcome().result(), rig.log.toString());
        assertEquals(code, rig.outcome().code(), rig.log.toString());
        assertTrue(rig.guest.isRunning());
        assertEquals(code, rig.last(Message.Cancel.class).code());
        assertFalse(rig.heard(Message.Grant.class));
    }

    private static void assertOwnedAgain(SourceRig rig) {
        rig.turn();
        assertEquals(Result.FAILED, rig.outcome().result());
        assertTrue(rig.log.inOrder("source.J(GRANTED 1)", "source.J(OWNED 2)", "source.resume",
                "source.J(SETTLED 2)"), rig.log.toString());
        assertTrue(rig.guest.isRunning());
        assertTrue(rig.heard(Message.Farewell.class));
    }

    private static Stream<Message> samples() {
        return Samples.all(SourceRig.ID, 1).stream();
    }

    private static DynamicTest test(String state, Message message, Runnable body) {
        return dynamicTest(state + ": " + message.getClass().getSimpleName(),
                body::run);
    }
}
