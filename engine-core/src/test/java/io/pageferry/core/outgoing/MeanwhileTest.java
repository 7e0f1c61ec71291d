package io.pageferry.core.outgoing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.handover.Owner;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.Dialer;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.SourceState;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What others do to the guest while it moves. */
class MeanwhileTest {
    private static final GuestException PLUGGED = new GuestException(ErrorCode.GUEST_MISMATCH,
            "memory was plugged", "plug it before");

    @Test
    void aGuestThatIsChangedRunsOnHere() {
        try (SourceRig rig = SourceRig.in(SourceState.PRECOPY)) {
            rig.guest.change(PLUGGED);
            rig.clock.advance(SourceRig.SECOND);
            rig.turns(2);
            assertFailed(rig);
            assertEquals(PLUGGED.getMessage(), rig.outcome().reason());
            assertEquals(PLUGGED.remedy(), rig.outcome().remedy());
            assertEquals(0, rig.log.count("source.pause"), rig.log.toString());
        }
    }

    @Test
    void aChangeAtTheLastMomentIsSeenBeforeThePause() {
        try (SourceRig rig = SourceRig.in(SourceState.PRECOPY)) {
            rig.turns(3);
            rig.guest.change(PLUGGED);
            rig.say(new Message.RoundApplied(0));
            rig.say(new Message.RoundVerified(0));
            rig.turns(3);
            assertFailed(rig);
            assertEquals(0, rig.log.count("source.pause"), rig.log.toString());
        }
    }

    @Test
    void aGuestThatEndedIsNotAskedWhetherItChanged() {
        try (SourceRig rig = SourceRig.in(SourceState.PRECOPY)) {
            rig.guest.change(PLUGGED);
            rig.guest.crash("it shut down");
            rig.clock.advance(SourceRig.SECOND);
            rig.turns(2);
            assertEquals(Result.GUEST_ENDED, rig.outcome().result());
        }
    }

    @Test
    void aPausedGuestThatSomebodyLetsGoIsNotGivenAway() {
        try (SourceRig rig = SourceRig.complete()) {
            rig.guest.goOnByHand();
            rig.say(rig.ready());
            rig.turns(3);
            assertFailed(rig);
            assertFalse(rig.heard(Message.Grant.class));
            assertTrue(rig.outcome().reason().contains("go on"), rig.outcome().reason());
        }
    }

    @Test
    void whatWasGrantedIsPausedAgain() {
        try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
            rig.guest.goOnByHand();
            rig.turn();
            assertFalse(rig.guest.isRunning());
            assertEquals(SourceState.GRANTED, rig.source.state());
            assertTrue(rig.listener.lines().stream().anyMatch(line ->
                    line.contains("paused again")), rig.log.toString());
            rig.say(new Message.Running(1, 1));
            rig.quiet();
            assertEquals(Result.COMPLETED, rig.outcome().result());
        }
    }

    @Test
    void whatCannotBePausedAgainIsSaidAndDecidesNothing() {
        try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
            rig.guest.failPause(new GuestException(ErrorCode.GUEST_FAILED, "no monitor", ""));
            rig.guest.goOnByHand();
            rig.turns(2);
            assertEquals(SourceState.GRANTED, rig.source.state());
            assertFalse(rig.source.isDone());
        }
    }

    /** A process that forks waits until it is asked, whatever else is waited for. */
    @Test
    void aGuestThatRunsOnIsAskedWhileTheCancelIsSaid() {
        for (boolean lost : new boolean[] {false, true}) {
            SourceRig rig = new SourceRig(MeanwhileTest::reconnecting, UnaryOperator.identity());
            try (rig) {
                rig.recoveryAddress(SourceState.PRECOPY).turns(3);
                if (lost) {
                    rig.links.cut(ErrorCode.LINK_LOST, "cut by the test");
                } else {
                    rig.links.silence();
                }
                rig.source.cancel();
                rig.turn();
                assertAskedInTime(rig, SourceRig.SECOND / 2);
                rig.guest.crash("killed");
                rig.clock.advance(SourceRig.SECOND / 20);
                rig.turns(2);
                assertFalse(rig.source.isDone(), "the target is to hear of it");
                rig.clock.advance(Dialer.ATTEMPT);
                rig.turn();
                assertEquals(Result.GUEST_ENDED, rig.outcome().result());
                assertEquals("killed", rig.outcome().reason());
            }
        }
    }

    @Test
    void aGuestThatIsOursAgainIsAskedWhilePagesAreNamed() {
        try (SourceRig rig = SourceRig.complete()) {
            rig.say(new Message.Mismatch(1, 1, 1, new long[64]));
            rig.turns(3);
            assertEquals(SourceState.OWNED, rig.source.state());
            assertTrue(rig.guest.isRunning());
            assertAskedInTime(rig, 4 * SourceRig.SECOND);
            rig.guest.crash("killed");
            rig.clock.advance(SourceRig.SECOND / 10);
            rig.turn();
            assertEquals(Result.GUEST_ENDED, rig.outcome().result());
            assertEquals(ErrorCode.DIGEST_MISMATCH, rig.last(Message.Cancel.class).code());
            assertTrue(rig.listener.lines().stream().anyMatch(line ->
                    line.contains("differs from what was sent")), rig.log.toString());
        }
    }

    private static void assertAskedInTime(SourceRig rig, long nanos) {
        for (long waited = 0; waited < nanos; waited += SourceRig.SECOND / 20) {
            long before = rig.guest.askedWhetherEnded();
            rig.clock.advance(SourceRig.SECOND / 20);
            rig.turn();
            assertTrue(rig.guest.askedWhetherEnded() > before, "after " + waited + " ns");
            assertFalse(rig.source.isDone());
        }
    }

    private static SourceOptions reconnecting(SourceOptions usual) {
        return usual.withWindows(30 * SourceRig.SECOND, usual.settleNanos());
    }

    private static void assertFailed(SourceRig rig) {
        assertEquals(Result.FAILED, rig.outcome().result());
        assertTrue(rig.guest.isRunning());
        assertEquals(Owner.SOURCE, rig.source.figures().owner());
    }
}
