package io.pageferry.core.outgoing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.SourceState;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What a guest does before it is paused, and before it is granted. */
class PreparedPauseTest {
    private static SourceRig preparing(UnaryOperator<SourceOptions> options) {
        SourceRig rig = new SourceRig(options, UnaryOperator.identity());
        rig.guest.preparing(true);
        rig.recoveryAddress(SourceState.PRECOPY);
        rig.turns(3);
        rig.say(new Message.RoundApplied(0));
        rig.say(new Message.RoundVerified(0));
        rig.turns(20);
        assertEquals(SourceState.PRECOPY, rig.source.state());
        assertTrue(rig.guest.isRunning());
        return rig;
    }

    /** What it wrote meanwhile is sent before the pause. */
    @Test
    void aGuestThatHasToPrepareRunsOnForOneMoreRound() {
        try (SourceRig rig = preparing(UnaryOperator.identity())) {
            assertEquals(0, rig.last(Message.RoundEnd.class).round());
            rig.guest.preparing(false);
            rig.turns(10);
            assertEquals(SourceState.PRECOPY, rig.source.state());
            assertTrue(rig.guest.isRunning());
            assertEquals(1, rig.last(Message.RoundEnd.class).round());
            rig.say(new Message.RoundApplied(1));
            rig.say(new Message.RoundVerified(1));
            rig.turns(3);
            assertEquals(SourceState.SWITCHOVER, rig.source.state());
            assertFalse(rig.guest.isRunning());
        }
    }

    @Test
    void aCancelMeanwhileIsTheEnd() {
        try (SourceRig rig = preparing(UnaryOperator.identity())) {
            rig.source.cancel();
            rig.turns(3);
            assertEquals(Result.CANCELLED, rig.outcome().result());
            assertEquals(0, rig.log.count("source.pause"));
        }
    }

    @Test
    void aLinkThatIsLostMeanwhileIsTriedAgain() {
        try (SourceRig rig = preparing(usual -> usual.withWindows(30 * SourceRig.SECOND,
                usual.settleNanos()))) {
            rig.links.target().close();
            rig.turns(3);
            assertFalse(rig.source.outcome().isPresent(), rig.log::toString);
            assertFalse(rig.later.isEmpty());
        }
    }

    /** Nothing is granted of a guest that may run. */
    @Test
    void aGuestThatDoesNotStayPausedIsNotGranted() {
        try (SourceRig rig = SourceRig.complete()) {
            rig.guest.failKeep(new GuestException(ErrorCode.GUEST_FAILED, "it was thawed",
                    "again"));
            rig.say(rig.ready());
            rig.turns(3);
            assertEquals(Result.FAILED, rig.outcome().result());
            assertEquals("it was thawed", rig.outcome().reason());
            assertEquals("again", rig.outcome().remedy());
            assertTrue(rig.guest.isRunning());
            assertEquals(0, rig.log.count("source.J(GRANTED 1)"));
        }
    }

    @Test
    void itIsAskedForBeforeTheGrantIsRecorded() {
        try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
            assertTrue(rig.log.inOrder("source.pause", "source.keep", "source.J(GRANTED 1)"),
                    rig.log.toString());
        }
    }
}
