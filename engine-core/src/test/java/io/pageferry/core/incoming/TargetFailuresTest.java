package io.pageferry.core.incoming;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome.Result;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A guest at the target that does what it should not: strays, does not end, or has a bug. */
class TargetFailuresTest {
    private static GuestException lockHeld() {
        return new GuestException(ErrorCode.GUEST_FAILED, "a lock is held", "");
    }

    @Test
    void whoStraysAgainIsPausedAgain() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            for (int time = 1; time <= 3; time++) {
                rig.guest.stray();
                rig.turn();
                assertFalse(rig.guest.isRunning(), "time " + time);
                assertEquals(time, rig.log.count("target.paused again"));
            }
            assertEquals(1, rig.listener.lines().stream()
                    .filter(line -> line.contains("somebody let the guest run")).count());
        }
    }

    @Test
    void whatStrayedIsGivenBackAloud() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.guest.stray();
            rig.turn();
            rig.guest.failResume(lockHeld().provablyNeverRan());
            rig.say(new Message.Grant(1, true));
            rig.turn();
            assertEquals(TargetState.RETURNED, rig.target.state());
            String reason = rig.last(Message.Returned.class).reason();
            assertTrue(reason.contains("a lock is held") && reason.contains("is lost"), reason);
            assertTrue(rig.journal.decision().orElseThrow().note().contains("is lost"));
            assertTrue(rig.listener.lines().stream()
                    .anyMatch(line -> line.contains("check that disk")));
        }
    }

    @Test
    void whatStrayedAndCannotGoOnIsSaidToHaveRun() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.guest.stray();
            rig.turn();
            rig.guest.failResume(lockHeld());
            rig.say(new Message.Grant(1, true));
            rig.turns(2);
            assertEquals(Result.FAILED_AT_TARGET, rig.outcome().result());
            assertTrue(rig.outcome().reason().contains("somebody had let it run"));
            assertFalse(rig.recorded(JournalState.RETURNED));
        }
    }

    @Test
    void noNoIsSaidOfAGuestThatMayStillRun() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.guest.failDiscard(new GuestException(ErrorCode.GUEST_FAILED, "it does not end",
                    "kill it"));
            rig.target.cancel();
            rig.turns(2);
            assertEquals(0, rig.heard(Message.Refused.class));
            assertEquals(List.of(JournalState.PREPARED, JournalState.REFUSED),
                    rig.journal.states());
            assertEquals(Result.FAILED, rig.outcome().result());
            assertEquals("kill it", rig.outcome().remedy());
            assertTrue(rig.outcome().reason().contains("it does not end"));
        }
    }

    @Test
    void nothingIsGivenBackThatMayStillRun() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.guest.failDiscard(new GuestException(ErrorCode.GUEST_FAILED, "it does not end",
                    ""));
            rig.guest.failResume(lockHeld().provablyNeverRan());
            rig.say(new Message.Grant(1, true));
            rig.turns(2);
            assertEquals(0, rig.heard(Message.Returned.class));
            assertFalse(rig.recorded(JournalState.RETURNED));
            assertEquals(Result.FAILED_AT_TARGET, rig.outcome().result());
        }
    }

    @Test
    void aBugBeforeTheLoadLeavesNothingBehind() {
        for (String method : List.of("prepare", "load")) {
            TargetRig rig = new TargetRig();
            rig.guest.breakIn(method);
            try (rig) {
                boolean loading = method.equals("load");
                if (loading) {
                    rig.offerAll();
                } else {
                    rig.recoveryAddress(TargetState.RESERVED);
                    rig.sendPages(0);
                }
                rig.turns(3);
                assertEquals(1, rig.log.count("target.discard"), rig.log.toString());
                if (loading) {
                    assertEquals(JournalState.REFUSED,
                            rig.journal.decision().orElseThrow().state());
                    assertEquals(JournalState.SETTLED, rig.journal.last().orElseThrow().state());
                    assertEquals(1, rig.heard(Message.Refused.class));
                    rig.say(new Message.Farewell(1, 0, 0));
                    rig.turn();
                } else {
                    assertEquals(ErrorCode.INTERNAL, rig.last(Message.Failure.class).code());
                }
                assertBug(rig, method);
            }
        }
    }

    @Test
    void aBugInReadyIsANo() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.guest.breakIn("ranUnauthorised");
            rig.turn();
            assertEquals(TargetState.REFUSED, rig.target.state());
            assertTrue(rig.log.inOrder("target.J(REFUSED 1)", "target.discard",
                    "target.J(SETTLED 1)"), rig.log.toString());
            rig.say(new Message.Farewell(1, 0, 0));
            rig.turn();
            assertBug(rig, "ranUnauthorised");
        }
    }

    @Test
    void aBugInDiscardIsNotSaidToHaveEndedTheGuest() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.guest.breakIn("discard");
            rig.target.cancel();
            rig.turn();
            assertBug(rig, "discard");
            assertFalse(rig.recorded(JournalState.SETTLED));
            assertEquals(0, rig.heard(Message.Refused.class));
        }
    }

    @Test
    void aBugInResumeIsFailedAtTheTarget() {
        try (TargetRig rig = TargetRig.in(TargetState.READY)) {
            rig.guest.breakIn("resume");
            rig.say(new Message.Grant(1, true));
            rig.turns(2);
            assertEquals(Result.FAILED_AT_TARGET, rig.outcome().result());
            assertEquals(ErrorCode.INTERNAL, rig.outcome().code());
            assertEquals(JournalState.ACTIVE, rig.journal.last().orElseThrow().state());
            assertEquals(0, rig.log.count("target.discard"));
        }
    }

    private static void assertBug(TargetRig rig, String method) {
        assertEquals(Result.BUG, rig.outcome().result(), rig.log.toString());
        assertEquals(ErrorCode.INTERNAL, rig.outcome().code());
        assertTrue(rig.outcome().reason().contains("a bug in " + method),
                rig.outcome().reason());
        assertTrue(rig.outcome().cause().getMessage().contains("a bug in " + method));
    }
}
