package io.pageferry.core.outgoing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.SourceState;
import org.junit.jupiter.api.Test;

/** A guest that does not answer: its migration ends at once, and its journal says what is left. */
class SilentGuestTest {
    private static final GuestException SILENCE =
            new GuestException(ErrorCode.GUEST_FAILED, "disk d0 hangs", "look").silent();

    private static void pause(SourceRig rig) {
        rig.recoveryAddress(SourceState.PRECOPY);
        rig.turns(3);
        rig.say(new Message.RoundApplied(0));
        rig.say(new Message.RoundVerified(0));
        rig.turns(6);
    }

    @Test
    void onePausedByUsIsOursAndNotSettled() {
        SourceRig rig = new SourceRig();
        rig.guest.failPause(SILENCE);
        rig.guest.failResume(SILENCE);
        try (rig) {
            pause(rig);
            assertEquals(Result.FAILED, rig.outcome().result());
            assertEquals("disk d0 hangs; the guest is ours and goes on here as soon as it answers",
                    rig.outcome().reason());
            assertEquals("look", rig.outcome().remedy());
            assertTrue(rig.outcome().isGuestSilent());
            assertEquals(JournalState.OWNED, rig.journal.last().orElseThrow().state());
            assertTrue(rig.heard(Message.Cancel.class));
        }
    }

    @Test
    void oneThatAnswersAfterAllIsSettled() {
        SourceRig rig = new SourceRig();
        rig.guest.failPause(SILENCE);
        try (rig) {
            pause(rig);
            assertEquals(Result.FAILED, rig.outcome().result());
            assertEquals("disk d0 hangs", rig.outcome().reason());
            assertTrue(rig.guest.isRunning());
            assertEquals(JournalState.SETTLED, rig.journal.last().orElseThrow().state());
        }
    }

    @Test
    void itIsSaidWhatWasAskedForAndWhyItIsNotDone() {
        try (SourceRig rig = SourceRig.complete()) {
            rig.guest.failResume(SILENCE);
            rig.source.cancel();
            rig.turns(2);
            assertEquals(Result.CANCELLED, rig.outcome().result());
            assertTrue(rig.outcome().reason().startsWith("cancelled; disk d0 hangs; the guest"),
                    rig.outcome().reason());
            assertEquals(JournalState.OWNED, rig.journal.last().orElseThrow().state());
        }
    }

    /** What was changed in it is put back when it answers, which the journal has to ask for. */
    @Test
    void oneThatWasNotPausedIsNotSettledEither() {
        try (SourceRig rig = SourceRig.in(SourceState.PRECOPY)) {
            rig.guest.change(SILENCE);
            rig.clock.advance(SourceRig.SECOND);
            rig.turns(2);
            assertEquals(Result.FAILED, rig.outcome().result());
            assertTrue(rig.guest.isRunning());
            assertFalse(rig.journal.last().isPresent());
        }
    }
}
