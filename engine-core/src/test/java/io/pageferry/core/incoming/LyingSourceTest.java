package io.pageferry.core.incoming;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import org.junit.jupiter.api.Test;

/** A source that says what is well-formed and makes no sense, or asks and does not listen. */
class LyingSourceTest {
    private static final int MANY = 200;

    @Test
    void completeBelongsToAnEpochAndNamesEveryChannel() {
        try (TargetRig rig = TargetRig.in(TargetState.RECEIVING)) {
            rig.say(new Message.Complete(0, rig.digest(), 0,
                    rig.source().pages().lastSequences(), new Message.StateSum(0, 0)));
            assertViolated(rig);
        }
        try (TargetRig rig = TargetRig.switchedOver()) {
            rig.sayState();
            rig.say(new Message.Complete(1, rig.digest(), 0, new long[2], rig.stateSum()));
            assertViolated(rig);
        }
    }

    /** What was checked is what is loaded. */
    @Test
    void nothingFollowsComplete() {
        try (TargetRig rig = TargetRig.complete()) {
            rig.say(new Message.Switchover(2));
            assertViolated(rig);
        }
        try (TargetRig rig = TargetRig.complete()) {
            rig.say(new Message.StateChunk(1, rig.stateSum().length(), new byte[] {1}));
            assertViolated(rig);
        }
    }

    @Test
    void whoAsksAndReadsNothingIsLeft() {
        for (TargetState state : new TargetState[] {TargetState.RECEIVING, TargetState.READY,
                TargetState.RUNNING}) {
            try (TargetRig rig = TargetRig.in(state)) {
                for (int i = 0; i < MANY && rig.links.source().isUp(); i++) {
                    rig.say(new Message.Status(TargetRig.ID, 5));
                    rig.target.doWork();
                }
                assertFalse(rig.links.source().isUp(), state.toString());
                rig.target.doWork();
                assertEquals(state == TargetState.RUNNING ? Result.COMPLETED : Result.FAILED,
                        rig.outcome().result());
                assertEquals(state == TargetState.READY, rig.recorded(JournalState.REFUSED));
                assertEquals(state == TargetState.RUNNING, rig.guest.isRunning());
            }
        }
    }

    /** Its report says whose it is; the exit code here is that of a move that failed. */
    @Test
    void aBugOfTheSourceIsNoneOfOurs() {
        for (TargetState state : new TargetState[] {TargetState.RECEIVING, TargetState.READY}) {
            try (TargetRig rig = TargetRig.in(state)) {
                rig.say(new Message.Cancel(1, ErrorCode.INTERNAL, "a bug"));
                rig.turn();
                rig.say(new Message.Farewell(1, 0, 0));
                rig.turn();
                assertEquals(Result.FAILED, rig.outcome().result());
                assertEquals(ErrorCode.INTERNAL, rig.outcome().code());
                assertEquals(Side.SOURCE, rig.outcome().side());
            }
        }
    }

    private static void assertViolated(TargetRig rig) {
        rig.turns(3);
        assertEquals(Result.FAILED, rig.outcome().result());
        assertEquals(ErrorCode.PROTOCOL_VIOLATION, rig.outcome().code());
        assertFalse(rig.recorded(JournalState.PREPARED));
        assertTrue(rig.log.count("target.discard") == 1, rig.log.toString());
    }
}
