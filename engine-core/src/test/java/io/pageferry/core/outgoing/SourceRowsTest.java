package io.pageferry.core.outgoing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.outgoing.session.Wording.Limit;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.testing.SourceLinkFilter;
import java.io.IOException;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** The source's rows before the grant: who runs after a cancel, a loss, a deadline, a failure. */
class SourceRowsTest {
    private static final List<SourceState> BEFORE = List.of(SourceState.NEGOTIATING,
            SourceState.PRECOPY, SourceState.SWITCHOVER);

    @Test
    void cancelBeforeTheGrantLeavesTheGuestRunning() {
        for (SourceState state : BEFORE) {
            try (SourceRig rig = SourceRig.in(state)) {
                rig.source.cancel();
                rig.turn();
                assertTrue(rig.guest.isRunning(), state.toString());
                rig.turns(2);
                assertEquals(Result.CANCELLED, rig.outcome().result());
                assertEquals(ErrorCode.CANCELLED, rig.last(Message.Cancel.class).code());
            }
        }
    }

    @Test
    void aLostLinkBeforeTheGrantLeavesTheGuestRunning() {
        for (SourceState state : BEFORE) {
            try (SourceRig rig = SourceRig.in(state)) {
                rig.links.cut(ErrorCode.LINK_LOST, "cut by the test");
                rig.turn();
                assertTrue(rig.guest.isRunning(), state.toString());
                rig.turns(2);
                assertEquals(state == SourceState.NEGOTIATING ? Result.REFUSED : Result.FAILED,
                        rig.outcome().result());
                assertEquals(ErrorCode.LINK_LOST, rig.outcome().code());
            }
        }
    }

    @Test
    void theHostMayEndItBeforeTheGrantOnly() {
        for (SourceState state : BEFORE) {
            try (SourceRig rig = SourceRig.in(state)) {
                rig.source.fail("no guard");
                rig.turns(2);
                assertTrue(rig.guest.isRunning());
                assertEquals(ErrorCode.HOST_FAILED, rig.outcome().code());
            }
        }
        try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
            rig.source.fail("no guard");
            rig.turns(2);
            assertEquals(SourceState.GRANTED, rig.source.state());
            assertFalse(rig.guest.isRunning());
        }
    }

    @Test
    void negotiationHasADeadline() {
        try (SourceRig rig = SourceRig.in(SourceState.NEGOTIATING)) {
            rig.clock.advance(10 * SourceRig.SECOND - 1);
            rig.turn();
            assertFalse(rig.source.isDone());
            rig.clock.advance(1);
            rig.turn();
            assertEquals(Result.REFUSED, rig.outcome().result());
            assertEquals(ErrorCode.DEADLINE, rig.outcome().code());
        }
    }

    @Test
    void timeIsUpBeforeRoundZeroEnded() {
        try (SourceRig rig = SourceRig.in(SourceState.PRECOPY)) {
            rig.clock.advance(3600 * SourceRig.SECOND);
            rig.turn();
            assertEquals(Result.FAILED, rig.outcome().result());
            assertEquals(ErrorCode.DEADLINE, rig.outcome().code());
            assertEquals(Limit.TIMEOUT.label() + " was over before round 0 had ended",
                    rig.outcome().reason());
        }
    }

    @Test
    void aTargetThatStopsAnsweringEndsPrecopyWithinTheTimeout() {
        // Round 0 applied but never read back; or the barrier of round 1 never answered.
        for (long budget : new long[] {SourceRig.SECOND, 1}) {
            SourceRig rig = new SourceRig(usual -> withBudget(usual, budget),
                    UnaryOperator.identity());
            try (rig) {
                rig.recoveryAddress(SourceState.PRECOPY).turns(3);
                rig.say(new Message.RoundApplied(0));
                rig.turns(3);
                assertEquals(budget == 1 ? 1 : 0, rig.last(Message.RoundEnd.class).round());
                assertEquals(SourceState.PRECOPY, rig.source.state());
                rig.clock.advance(3600 * SourceRig.SECOND);
                rig.turn();
                assertFalse(rig.source.isDone());
                rig.clock.advance(10 * SourceRig.SECOND);
                rig.turns(2);
                assertEquals(Result.FAILED, rig.outcome().result());
                assertEquals(ErrorCode.DEADLINE, rig.outcome().code());
                assertTrue(rig.guest.isRunning());
            }
        }
    }

    @Test
    void thePauseHasADeadline() {
        try (SourceRig rig = SourceRig.complete()) {
            rig.clock.advance(10 * SourceRig.SECOND - 1);
            rig.turn();
            assertFalse(rig.guest.isRunning());
            rig.clock.advance(1);
            rig.turn();
            assertTrue(rig.guest.isRunning());
            rig.turn();
            assertEquals(Result.FAILED, rig.outcome().result());
            assertEquals(ErrorCode.DEADLINE, rig.outcome().code());
        }
    }

    @Test
    void readyAfterTheDeadlineComesTooLate() {
        try (SourceRig rig = SourceRig.complete()) {
            rig.say(rig.ready());
            rig.clock.advance(10 * SourceRig.SECOND);
            rig.turn();
            assertTrue(rig.guest.isRunning(), rig.log.toString());
            rig.turn();
            assertEquals(ErrorCode.DEADLINE, rig.outcome().code());
            assertFalse(rig.heard(Message.Grant.class));
        }
    }

    @Test
    void aGuestThatEndsInPrecopyEndsTheMigration() {
        try (SourceRig rig = SourceRig.in(SourceState.PRECOPY)) {
            rig.guest.crash("panic");
            rig.clock.advance(SourceRig.SECOND);
            rig.turn();
            assertEquals(Result.GUEST_ENDED, rig.outcome().result());
            assertEquals("panic", rig.outcome().reason());
            assertEquals(ErrorCode.GUEST_ENDED, rig.last(Message.Cancel.class).code());
        }
    }

    @Test
    void nothingIsPausedWithoutARecordOfIt() {
        SourceRig rig = new SourceRig();
        rig.journal.failOn(JournalState.SWITCHOVER, true);
        try (rig) {
            rig.recoveryAddress(SourceState.PRECOPY);
            rig.turns(3);
            rig.say(new Message.RoundApplied(0));
            rig.say(new Message.RoundVerified(0));
            rig.turns(3);
            assertEquals(Result.FAILED, rig.outcome().result());
            assertEquals(ErrorCode.HOST_FAILED, rig.outcome().code());
            assertEquals(0, rig.log.count("source.pause"));
            assertTrue(rig.guest.isRunning());
        }
    }

    @Test
    void nothingIsGrantedWithoutARecordOfIt() {
        for (boolean kept : new boolean[] {false, true}) {
            try (SourceRig rig = SourceRig.complete()) {
                rig.journal.failOn(JournalState.GRANTED, kept);
                rig.say(rig.ready());
                rig.turn();
                assertTrue(rig.guest.isRunning());
                rig.turn();
                assertEquals(Result.FAILED, rig.outcome().result());
                assertEquals(ErrorCode.HOST_FAILED, rig.outcome().code());
                assertFalse(rig.heard(Message.Grant.class));
                assertTrue(rig.log.inOrder("source.J(GRANTED 1) failed", "source.J(OWNED 1)",
                        "source.resume"), rig.log.toString());
            }
        }
    }

    @Test
    void aGuestThatCannotBePausedOrSavedRunsOn() {
        SourceRig pause = new SourceRig();
        pause.guest.failPause(new GuestException(ErrorCode.GUEST_FAILED, "no", "do this"));
        assertFailsInSwitchover(pause, ErrorCode.GUEST_FAILED);
        assertEquals("do this", pause.outcome().remedy());
        SourceRig save = new SourceRig();
        save.guest.failSave(new IOException("no state"));
        assertFailsInSwitchover(save, ErrorCode.HOST_FAILED);
    }

    @Test
    void aStateThatIsTooLargeIsRefused() {
        SourceRig rig = new SourceRig();
        rig.guest.stateTakes((64 << 20) + 1, 0);
        assertFailsInSwitchover(rig, ErrorCode.HOST_FAILED);
        assertTrue(rig.outcome().reason().contains("device state"), rig.outcome().reason());
    }

    @Test
    void whatSomebodyHadPausedStaysPaused() {
        SourceRig rig = new SourceRig();
        rig.guest.pauseByHand();
        try (rig) {
            rig.recoveryAddress(SourceState.GRANTED);
            assertEquals(new Message.Grant(1, false), rig.last(Message.Grant.class));
            assertTrue(rig.journal.records().stream().noneMatch(entry -> entry.ran()));
            rig.say(new Message.Refused(1, "no"));
            rig.turns(2);
            assertEquals(Result.FAILED, rig.outcome().result());
            assertFalse(rig.guest.isRunning());
            assertEquals(0, rig.log.count("source.resume"));
        }
    }

    @Test
    void completeIsNotSentWhilePagesAreOwed() {
        SourceRig rig = new SourceRig(UnaryOperator.identity(), Liar::new);
        try (rig) {
            rig.recoveryAddress(SourceState.SWITCHOVER);
            rig.applies = true;
            rig.answersBarriers = true;
            rig.say(new Message.RoundApplied(1));
            rig.turns(10);
            assertEquals(Result.BUG, rig.outcome().result(), rig.log.toString());
            assertTrue(rig.outcome().reason().contains("owed"), rig.outcome().reason());
            assertEquals("complete", rig.outcome().cause().getStackTrace()[0].getMethodName());
            assertTrue(rig.guest.isRunning());
            assertFalse(rig.heard(Message.Complete.class));
            assertEquals(ErrorCode.INTERNAL, rig.last(Message.Cancel.class).code());
        }
    }

    @Test
    void aBugAfterTheGrantIsLeftToTheGuard() {
        SourceRig rig = new SourceRig(UnaryOperator.identity(), link -> new SourceLinkFilter(link) {
            private boolean granted;

            @Override
            public boolean send(Message message) {
                granted |= message instanceof Message.Grant;
                return super.send(message);
            }

            @Override
            public int poll(LinkHandler handler) {
                if (granted) {
                    throw new IllegalStateException("a bug");
                }
                return super.poll(handler);
            }
        });
        try (rig) {
            rig.recoveryAddress(SourceState.GRANTED);
            assertThrows(IllegalStateException.class, rig::turn);
            assertFalse(rig.guest.isRunning());
            assertEquals(SourceState.GRANTED, rig.source.state());
        }
    }

    private static SourceOptions withBudget(SourceOptions usual, long budget) {
        MigrationLimits limits = usual.limits();
        return usual.withLimits(new MigrationLimits(limits.policy(), budget, limits.maxRounds(),
                limits.timeoutNanos(), limits.onNoConvergence(), limits.maxSwitchoverNanos(),
                limits.bandwidth(), limits.throttling()));
    }

    private static void assertFailsInSwitchover(SourceRig rig, ErrorCode code) {
        try (rig) {
            rig.recoveryAddress(SourceState.PRECOPY);
            rig.answersBarriers = true;
            rig.turns(3);
            rig.say(new Message.RoundApplied(0));
            rig.say(new Message.RoundVerified(0));
            rig.turns(6);
            assertEquals(Result.FAILED, rig.outcome().result(), rig.log.toString());
            assertEquals(code, rig.outcome().code());
            assertTrue(rig.guest.isRunning());
            assertTrue(rig.log.inOrder("source.J(SWITCHOVER 1)", "source.pause",
                    "source.J(OWNED 1)", "source.resume", "source.J(SETTLED 1)"),
                    rig.log.toString());
        }
    }

    /** A sink that says in the last moment that one batch was not acknowledged after all. */
    private static final class Liar extends SourceLinkFilter {
        private boolean saidZero;

        Liar(SourceLink link) {
            super(link);
        }

        @Override
        public int unacknowledged() {
            int real = super.unacknowledged();
            boolean lie = saidZero && real == 0;
            saidZero = real == 0 && !lie;
            return lie ? 1 : real;
        }
    }

    private static final class BrokenTracker implements DirtyTracker {
        @Override
        public String name() {
            return "broken";
        }

        @Override
        public void start() throws TrackerException {
            throw new TrackerException("no userfaultfd here", null);
        }

        @Override
        public void harvest(DirtyBitmap into) {
            throw new IllegalStateException("never armed");
        }

        @Override
        public void close() {
            // Nothing was armed.
        }
    }
}
