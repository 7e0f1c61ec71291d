package io.pageferry.core.incoming;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome.Result;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The target's rows of docs/PROTOCOL.md: what is written first, and who may run after it. */
class TargetRowsTest {
    private static final List<TargetState> BEFORE =
            List.of(TargetState.RESERVED, TargetState.RECEIVING);

    private static final Map<TargetState, Result> DECIDED = Map.of(
            TargetState.REFUSED, Result.FAILED, TargetState.RETURNED, Result.FAILED,
            TargetState.RUNNING, Result.COMPLETED);

    /** What a load needs is begun beside the last pages, and not behind them. */
    @Test
    void theGuestHearsThatItsStateComesWhenTheSourcePauses() {
        try (TargetRig rig = TargetRig.in(TargetState.RECEIVING)) {
            assertEquals(0, rig.log.count("target.state comes"));
            rig.say(new Message.Switchover(1));
            rig.turn();
            assertEquals(1, rig.log.count("target.state comes"));
            assertEquals(0, rig.log.count("target.load"));
        }
    }

    @Test
    void noGrantInTimeIsANoForEver() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.clock.advance(10 * TargetRig.SECOND - 1);
            rig.turn();
            assertEquals(TargetState.READY, rig.target.state());
            rig.clock.advance(1);
            rig.turn();
            assertRefused(rig, 1);
            rig.say(new Message.Grant(1, true));
            rig.turn();
            assertRefused(rig, 2);
        }
    }

    @Test
    void aGrantThatCameWithTheDeadlineIsTaken() {
        // It was under way when the time was up: polled first, and nobody had said no.
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.clock.advance(10 * TargetRig.SECOND);
            rig.say(new Message.Grant(1, true));
            rig.turn();
            assertEquals(TargetState.RUNNING, rig.target.state());
            assertFalse(rig.recorded(JournalState.REFUSED));
        }
    }

    @Test
    void aLinkLostInReadyIsANo() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.links.cut(ErrorCode.LINK_LOST, "cut by the test");
            rig.turn();
            assertTrue(rig.log.inOrder("target.J(REFUSED 1)", "target.discard",
                    "target.J(SETTLED 1)"), rig.log.toString());
            assertEquals(Result.FAILED, rig.outcome().result());
            assertEquals(ErrorCode.LINK_LOST, rig.outcome().code());
            assertEquals(0, rig.log.count("target.resume"));
        }
    }

    @Test
    void aGrantBeforeTheLossIsTaken() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.say(new Message.Grant(1, true));
            rig.links.cut(ErrorCode.LINK_LOST, "cut by the test");
            rig.turns(2);
            assertEquals(Result.COMPLETED, rig.outcome().result());
            assertTrue(rig.guest.isRunning());
            assertEquals(JournalState.RUNNING, rig.journal.decision().orElseThrow().state());
        }
    }

    @Test
    void aLinkLostAfterTheLastWordChangesNothing() {
        DECIDED.forEach((state, result) -> {
            try (TargetRig rig = TargetRig.in(state)) {
                List<JournalState> records = rig.journal.states();
                rig.links.cut(ErrorCode.LINK_LOST, "cut by the test");
                rig.turn();
                assertEquals(result, rig.outcome().result());
                assertEquals(records, rig.journal.states());
                assertEquals(state == TargetState.RUNNING, rig.guest.isRunning());
            }
        });
    }

    @Test
    void cancelBeforeReadyLeavesNothingBehind() {
        for (TargetState state : BEFORE) {
            try (TargetRig rig = TargetRig.in(state)) {
                rig.target.cancel();
                rig.turn();
                assertEquals(ErrorCode.CANCELLED, rig.outcome().code());
                assertEquals(ErrorCode.CANCELLED, rig.last(Message.Cancel.class).code());
                assertNothingLeft(rig, state);
            }
        }
        try (TargetRig rig = TargetRig.in(TargetState.WAITING)) {
            rig.target.cancel();
            rig.turn();
            assertEquals(ErrorCode.CANCELLED, rig.outcome().code());
            assertEquals(0, rig.log.count("target.prepare"));
        }
    }

    /** The source hears of it while its guest still runs, and pauses nothing for nothing. */
    @Test
    void aGuestThatEndsBeforeItIsLoadedEndsTheMove() {
        for (TargetState state : BEFORE) {
            try (TargetRig rig = TargetRig.in(state)) {
                rig.guest.crash("QEMU ended");
                rig.turn();
                assertEquals(ErrorCode.GUEST_ENDED, rig.outcome().code());
                assertEquals("QEMU ended", rig.last(Message.Cancel.class).reason());
                assertNothingLeft(rig, state);
            }
        }
    }

    /** Before the first page there is nothing to leave. */
    private static void assertNothingLeft(TargetRig rig, TargetState state) {
        boolean begun = state != TargetState.RESERVED;
        assertEquals(begun ? Result.FAILED : Result.REFUSED, rig.outcome().result());
        assertEquals(begun ? 1 : 0, rig.log.count("target.prepare"));
        assertEquals(begun ? 1 : 0, rig.log.count("target.discard"));
        assertEquals(begun ? List.of(JournalState.SETTLED) : List.of(), rig.journal.states());
    }

    @Test
    void cancelInReadyIsANoAndLaterIsTooLate() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.target.cancel();
            rig.turn();
            assertRefused(rig, 1);
        }
        try (TargetRig rig = TargetRig.in(TargetState.RUNNING)) {
            rig.target.cancel();
            rig.turns(3);
            assertEquals(TargetState.RUNNING, rig.target.state());
            assertTrue(rig.guest.isRunning());
            assertEquals(0, rig.log.count("target.discard"));
        }
    }

    @Test
    void nothingIsLoadedWithoutARecordOfIt() {
        for (boolean kept : new boolean[] {false, true}) {
            TargetRig rig = new TargetRig();
            rig.journal.failOn(JournalState.PREPARED, kept);
            try (rig) {
                rig.offerAll();
                rig.turns(3);
                assertRefused(rig, 1);
                assertFalse(rig.guest.isLoaded());
                assertEquals(0, rig.heard(Message.Ready.class));
                assertEquals(JournalState.REFUSED, rig.journal.decision().orElseThrow().state());
            }
        }
    }

    @Test
    void nothingRunsWithoutARecordOfIt() {
        for (boolean kept : new boolean[] {false, true}) {
            try (TargetRig rig = TargetRig.in(TargetState.READY)) {
                rig.journal.failOn(JournalState.ACTIVE, kept);
                rig.say(new Message.Grant(1, true));
                rig.turn();
                assertRefused(rig, 1);
                assertEquals(JournalState.REFUSED, rig.journal.decision().orElseThrow().state());
            }
        }
    }

    @Test
    void runningWithoutARecordOfItStillRuns() {
        // ACTIVE is durable: whoever reads it looks at the guest and finds it running.
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.journal.failOn(JournalState.RUNNING, false);
            rig.say(new Message.Grant(1, true));
            rig.turn();
            assertEquals(TargetState.RUNNING, rig.target.state());
            assertEquals(1, rig.heard(Message.Running.class));
            assertTrue(rig.listener.lines().stream().anyMatch(line -> line.contains("RUNNING")));
        }
    }

    @Test
    void aResumeThatProvablyFailedGivesTheGuestBack() {
        try (TargetRig rig = TargetRig.in(TargetState.RETURNED)) {
            assertTrue(rig.log.inOrder("target.J(ACTIVE 1)", "target.resume failed",
                    "target.discard", "target.J(RETURNED 1)"), rig.log.toString());
            assertEquals(new Message.Returned(1, "a lock is held"),
                    rig.last(Message.Returned.class));
            assertEquals(Owner.SOURCE, rig.target.figures().owner());
        }
    }

    @Test
    void aResumeThatMayHaveRunIsNeverGivenBack() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.guest.failResume(new GuestException(ErrorCode.GUEST_FAILED, "silence", ""));
            rig.say(new Message.Grant(1, true));
            rig.turns(2);
            assertEquals(Result.FAILED_AT_TARGET, rig.outcome().result());
            assertEquals(JournalState.ACTIVE, rig.journal.last().orElseThrow().state());
            assertEquals(0, rig.log.count("target.discard"));
            for (Class<? extends Message> word : List.of(Message.Running.class,
                    Message.Refused.class, Message.Returned.class)) {
                assertEquals(0, rig.heard(word), word.getSimpleName());
            }
        }
    }

    @Test
    void whatSomebodyHadPausedStaysPausedHere() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.say(new Message.Grant(1, false));
            rig.turn();
            assertEquals(TargetState.RUNNING, rig.target.state());
            assertFalse(rig.guest.isRunning());
            assertEquals(0, rig.log.count("target.resume"));
            assertFalse(rig.journal.decision().orElseThrow().ran());
        }
    }

    /** It is paused at once; the grant lets it go on from where it came to, on one side only. */
    @Test
    void whatSomebodyLetsRunWaitsForTheGrantAgain() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.guest.stray();
            rig.turn();
            assertFalse(rig.guest.isRunning());
            assertEquals(TargetState.READY, rig.target.state());
            assertEquals(1, rig.listener.lines().stream()
                    .filter(line -> line.contains("somebody let the guest run")).count());
            rig.say(new Message.Grant(1, true));
            rig.turn();
            assertTrue(rig.guest.isRunning());
            assertFalse(rig.recorded(JournalState.REFUSED));
            assertTrue(rig.log.inOrder("target.strays", "target.paused again",
                    "target.J(ACTIVE 1)", "target.resume"), rig.log.toString());
        }
    }

    /** It stands still before the no is written, and is ended before that is said. */
    @Test
    void whatSomebodyLetRunIsRefusedAloud() {
        for (boolean noticed : new boolean[] {true, false}) {
            try (TargetRig rig = TargetRig.in(TargetState.READY)) {
                rig.guest.stray();
                if (noticed) {
                    rig.turn();
                }
                rig.target.cancel();
                rig.turn();
                assertRefused(rig, 1);
                assertTrue(rig.log.inOrder("target.paused again", "target.J(REFUSED 1)"),
                        rig.log.toString());
                String reason = rig.last(Message.Refused.class).reason();
                assertTrue(reason.contains("cancelled") && reason.contains("is lost"), reason);
                assertTrue(rig.listener.lines().stream()
                        .anyMatch(line -> line.contains("check that disk")));
                assertTrue(rig.journal.decision().orElseThrow().note().contains("is lost"));
            }
        }
    }

    @Test
    void aGuestThatDiesWhileReadyIsANo() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.guest.crash("killed");
            rig.turn();
            assertRefused(rig, 1);
            assertEquals("killed", rig.last(Message.Refused.class).reason());
            rig.say(new Message.Farewell(1, 0, 0));
            rig.turn();
            assertEquals(ErrorCode.GUEST_ENDED, rig.outcome().code());
        }
    }

    @Test
    void aStateThatCannotBeLoadedIsANo() {
        TargetRig rig = new TargetRig();
        rig.guest.failLoad(new GuestException(ErrorCode.GUEST_FAILED, "another device", ""));
        try (rig) {
            rig.offerAll();
            rig.turns(3);
            assertRefused(rig, 1);
            assertEquals(0, rig.heard(Message.Ready.class));
        }
    }

    @Test
    void farewellBringsTheTimesAndTheEnd() {
        try (TargetRig rig = TargetRig.in(TargetState.RUNNING)) {
            rig.say(new Message.Farewell(1, 700, 30));
            rig.turn();
            assertEquals(Result.COMPLETED, rig.outcome().result());
            assertEquals(700, rig.target.figures().totalNanos());
            assertEquals(30, rig.target.figures().downtimeNanos());
            assertEquals(Owner.TARGET, rig.target.figures().owner());
        }
    }

    @Test
    void withoutFarewellItEndsAllTheSame() {
        DECIDED.forEach((state, result) -> {
            try (TargetRig rig = TargetRig.in(state)) {
                rig.clock.advance(30 * TargetRig.SECOND - 1);
                rig.turn();
                assertFalse(rig.target.isDone());
                rig.clock.advance(1);
                rig.turn();
                assertEquals(result, rig.outcome().result());
            }
        });
    }

    private static void assertRefused(TargetRig rig, long times) {
        assertEquals(TargetState.REFUSED, rig.target.state(), rig.log.toString());
        assertTrue(rig.log.inOrder("target.J(REFUSED 1)", "target.discard",
                "target.J(SETTLED 1)"), rig.log.toString());
        assertEquals(times, rig.heard(Message.Refused.class));
        assertEquals(1, rig.last(Message.Refused.class).epoch());
        assertEquals(0, rig.log.count("target.resume"));
        assertFalse(rig.guest.isRunning());
    }
}
