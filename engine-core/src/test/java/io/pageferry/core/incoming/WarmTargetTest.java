package io.pageferry.core.incoming;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.Message;
import org.junit.jupiter.api.Test;

/** No round counts as applied, so that no pause can follow, before the process is warm. */
class WarmTargetTest {
    @Test
    void aBarrierPassesWhenTheAgentIsWarm() {
        TargetRig rig = new TargetRig();
        rig.warm = false;
        rig.recoveryAddress(TargetState.RESERVED);
        rig.sendPages(0);
        rig.say(new Message.RoundEnd(0, rig.source().pages().lastSequences()));
        rig.turns(20);
        assertTrue(rig.received.stream().noneMatch(Message.RoundApplied.class::isInstance));
        rig.warm = true;
        rig.turns(3);
        assertEquals(0, rig.last(Message.RoundApplied.class).round());
    }
}
