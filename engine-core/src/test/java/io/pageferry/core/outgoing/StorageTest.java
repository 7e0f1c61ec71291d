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
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** A guest whose disks are copied before its memory. */
class StorageTest {
    private static SourceRig copying() {
        SourceRig rig = new SourceRig(StorageTest::reconnecting, UnaryOperator.identity());
        rig.guest.storage(false, null);
        rig.turn();
        assertEquals(Message.FEATURE_STORAGE,
                rig.last(Message.Hello.class).features() & ~Message.CODEC_FEATURES
                        & ~Message.FEATURE_BACKLOG);
        welcome(rig, Message.FEATURE_STORAGE);
        rig.turns(3);
        return rig;
    }

    /** One that would survive a lost link otherwise. */
    private static SourceOptions reconnecting(SourceOptions usual) {
        return usual.withWindows(30 * SourceRig.SECOND, usual.settleNanos());
    }

    private static void welcome(SourceRig rig, long features) {
        Message.Welcome welcome = new Message.Welcome(new UUID(1, 1), 1, features, 1, 4);
        rig.links.target().acceptChannels(welcome);
        rig.say(welcome);
    }

    @Test
    void noRoundBeginsBeforeTheDisksAreThere() {
        try (SourceRig rig = copying()) {
            assertEquals(SourceState.PRECOPY, rig.source.state());
            assertFalse(rig.heard(Message.RoundEnd.class));
            rig.guest.storage(true, null);
            rig.turns(10);
            assertTrue(rig.heard(Message.RoundEnd.class), rig.log::toString);
        }
    }

    @Test
    void aTargetThatDoesNotGrantItIsRefused() {
        try (SourceRig rig = new SourceRig()) {
            rig.guest.storage(false, null);
            rig.turn();
            welcome(rig, 0);
            rig.turn();
            assertEquals(Result.REFUSED, rig.outcome().result());
        }
    }

    @Test
    void aCopyThatFailsEndsIt() {
        try (SourceRig rig = copying()) {
            rig.guest.storage(false, new GuestException(ErrorCode.GUEST_FAILED, "full", "wipe"));
            rig.turn();
            assertEquals(Result.FAILED, rig.outcome().result());
            assertEquals("wipe", rig.outcome().remedy());
            assertTrue(rig.guest.isRunning());
        }
    }

    @Test
    void aLostLinkIsTheEnd() {
        try (SourceRig rig = copying()) {
            rig.links.target().close();
            rig.turns(3);
            assertEquals(Result.FAILED, rig.outcome().result());
            assertEquals(ErrorCode.LINK_LOST, rig.outcome().code());
            assertTrue(rig.guest.isRunning());
        }
    }

    @Test
    void timeEndsIt() {
        try (SourceRig rig = copying()) {
            rig.clock.advance(3601 * SourceRig.SECOND);
            rig.turn();
            assertEquals(ErrorCode.DEADLINE, rig.outcome().code());
            assertTrue(rig.guest.isRunning());
        }
    }
}
