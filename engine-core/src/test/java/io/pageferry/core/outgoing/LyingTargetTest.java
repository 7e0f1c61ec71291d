package io.pageferry.core.outgoing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.handover.MigrationFigures.Part;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.SourceState;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** A target that says what is well-formed and makes no sense: it ends in words, never in a bug. */
class LyingTargetTest {
    @Test
    void theFirstGenerationIsOne() {
        // Each RESUME asks for one more.
        try (SourceRig rig = SourceRig.in(SourceState.NEGOTIATING)) {
            rig.say(new Message.Welcome(new UUID(1, 1), Long.MAX_VALUE, 0, 1, 4));
            rig.turns(2);
            assertEquals(Result.REFUSED, rig.outcome().result());
            assertEquals(ErrorCode.PROTOCOL_VIOLATION, rig.outcome().code());
        }
    }

    @Test
    void checksumsThatNobodyAskedForNameNoPage() {
        try (SourceRig rig = SourceRig.complete()) {
            rig.say(new Message.Mismatch(1, 1, 1, new long[64]));
            rig.turns(3);
            rig.say(new Message.PageChecksums(Long.MAX_VALUE, new int[] {1, 2}));
            rig.say(new Message.PageChecksums(63, new int[] {1}));
            rig.turns(2);
            assertFalse(rig.source.isDone());
            Message.PageChecksumsRequest asked = rig.last(Message.PageChecksumsRequest.class);
            rig.say(new Message.PageChecksums(asked.firstPage(), new int[] {7}));
            rig.turns(2);
            assertEquals(ErrorCode.DIGEST_MISMATCH, rig.outcome().code());
            String reason = rig.outcome().reason();
            assertTrue(reason.contains("page " + asked.firstPage() + " "), reason);
            assertFalse(reason.contains("page 63 "), reason);
        }
    }

    @Test
    void aBlockOfAnySizeIsNoBug() {
        for (long blockPages : new long[] {0, -1, 2, Long.MAX_VALUE, Long.MIN_VALUE}) {
            try (SourceRig rig = SourceRig.complete()) {
                rig.say(new Message.Mismatch(1, 1, blockPages, new long[64]));
                rig.turns(4);
                assertEquals(ErrorCode.DIGEST_MISMATCH, rig.outcome().code());
                assertTrue(rig.guest.isRunning());
            }
        }
    }

    @Test
    void noPartOfTheDowntimeIsLongerThanIt() {
        try (SourceRig rig = SourceRig.complete()) {
            rig.clock.advance(10);
            rig.say(new Message.Ready(1, rig.ready().digest(), Long.MAX_VALUE, Long.MAX_VALUE));
            rig.turn();
            rig.clock.advance(7);
            rig.say(new Message.Running(1, Long.MAX_VALUE));
            rig.quiet();
            assertEquals(Result.COMPLETED, rig.outcome().result());
            assertEquals(10, rig.source.figures().part(Part.VERIFY));
            assertEquals(10, rig.source.figures().part(Part.STATE_LOAD));
            assertEquals(7, rig.source.figures().part(Part.RESUME));
            assertEquals(0, rig.source.figures().part(Part.HANDOVER));
        }
    }
}
