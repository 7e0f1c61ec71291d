package io.pageferry.core.outgoing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.Message;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.SourceState;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** A guest runs on until the process has run before what it runs in the pause. */
class WarmSourceTest {
    @Test
    void aGuestThatCouldBePausedRunsOnUntilItsAgentIsWarm() throws Exception {
        SourceRig rig = new SourceRig();
        rig.warm = false;
        rig.recoveryAddress(SourceState.PRECOPY);
        rig.turns(3);
        rig.say(new Message.RoundApplied(0));
        rig.say(new Message.RoundVerified(0));
        rig.turns(20);
        assertEquals(SourceState.PRECOPY, rig.source.state());
        assertTrue(rig.guest.isRunning());
        rig.warm = true;
        rig.turns(3);
        assertEquals(SourceState.SWITCHOVER, rig.source.state());
        assertFalse(rig.guest.isRunning());
    }

    @Test
    void soDoesOneThatIsMovedPaused() throws Exception {
        SourceRig rig = new SourceRig(SourceOptions::paused, UnaryOperator.identity());
        rig.warm = false;
        rig.recoveryAddress(SourceState.NEGOTIATING).welcome();
        rig.turns(20);
        assertEquals(SourceState.PRECOPY, rig.source.state());
        assertTrue(rig.guest.isRunning());
        rig.warm = true;
        rig.turns(3);
        assertEquals(SourceState.SWITCHOVER, rig.source.state());
    }
}
