package io.pageferry.core.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome.Result;
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
            rig.say(new Message.Walked(0));
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

    private static void assertFailed(SourceRig rig) {
        assertEquals(Result.FAILED, rig.outcome().result());
        assertTrue(rig.guest.isRunning());
        assertEquals("source", rig.source.figures().owner());
    }
}
