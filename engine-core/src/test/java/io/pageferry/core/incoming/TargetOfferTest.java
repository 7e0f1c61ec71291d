package io.pageferry.core.incoming;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome.Result;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a target believes of an offer, of pages and of COMPLETE before it loads anything. */
class TargetOfferTest {
    @Test
    void completeWhilePagesAreOwedIsRefused() {
        try (TargetRig rig = TargetRig.switchedOver()) {
            rig.sayState();
            rig.say(rig.completeWith(rig.digest(), 1));
            rig.turn();
            assertEndedUnloaded(rig, ErrorCode.PROTOCOL_VIOLATION, "still owed");
        }
    }

    @Test
    void completeWaitsForEveryBatchThatItNames() {
        try (TargetRig rig = TargetRig.complete()) {
            rig.turns(5);
            assertEquals(TargetState.RECEIVING, rig.target.state());
            assertFalse(rig.guest.isLoaded());
            assertEquals(0, rig.heard(Message.Ready.class) + rig.heard(Message.Mismatch.class));
        }
    }

    @Test
    void epochsOnlyRise() {
        try (TargetRig rig = TargetRig.switchedOver()) {
            rig.say(new Message.Switchover(1));
            rig.turn();
            assertEndedUnloaded(rig, ErrorCode.PROTOCOL_VIOLATION, "epoch 1 after 1");
        }
        try (TargetRig rig = TargetRig.switchedOver()) {
            rig.say(new Message.StateChunk(2, 0, new byte[] {1}));
            rig.turn();
            assertEndedUnloaded(rig, ErrorCode.PROTOCOL_VIOLATION, "StateChunk");
        }
        try (TargetRig rig = TargetRig.switchedOver()) {
            rig.say(new Message.Complete(2, rig.digest(), 0,
                    rig.source().pages().lastSequences(), rig.stateSum()));
            rig.turn();
            assertEndedUnloaded(rig, ErrorCode.PROTOCOL_VIOLATION, "epoch 1");
        }
    }

    @Test
    void aNewAttemptForgetsTheStateOfTheOld() {
        try (TargetRig rig = TargetRig.switchedOver()) {
            rig.say(new Message.StateChunk(1, 0, new byte[] {1, 2, 3}));
            rig.say(new Message.Switchover(2));
            rig.say(new Message.StateChunk(2, 0, rig.workload.save()));
            rig.say(new Message.Complete(2, rig.digest(), 0,
                    rig.source().pages().lastSequences(), rig.stateSum()));
            rig.turns(3);
            assertEquals(TargetState.READY, rig.target.state(), rig.log.toString());
            assertEquals(2, rig.last(Message.Ready.class).epoch());
            assertEquals(1, rig.guest.image().flushes());
        }
    }

    @Test
    void aStateWithAGapOrDamageIsRefused() {
        try (TargetRig rig = TargetRig.switchedOver()) {
            rig.say(new Message.StateChunk(1, 1, new byte[] {1}));
            rig.turn();
            assertEndedUnloaded(rig, ErrorCode.PROTOCOL_VIOLATION, "expected 0");
        }
        for (boolean longer : new boolean[] {false, true}) {
            try (TargetRig rig = TargetRig.switchedOver()) {
                byte[] state = rig.workload.save();
                state[20] ^= 1;
                rig.say(new Message.StateChunk(1, 0, state));
                if (longer) {
                    rig.say(new Message.StateChunk(1, state.length, new byte[1]));
                }
                rig.say(rig.completeWith(rig.digest(), 0));
                rig.turn();
                assertEndedUnloaded(rig, ErrorCode.PROTOCOL_VIOLATION,
                        longer ? "announced" : "damaged");
            }
        }
    }

    @Test
    void anotherDigestIsToldAndNothingIsLoaded() {
        try (TargetRig rig = TargetRig.mismatched()) {
            assertEquals(rig.digest(), rig.last(Message.Mismatch.class).digest());
            assertEquals(0, rig.guest.image().flushes(), "completed, and not what was sent");
            rig.say(new Message.PageChecksumsRequest(60, 4));
            rig.turn();
            assertEquals(4, rig.last(Message.PageChecksums.class).crcs().length);
            rig.say(new Message.PageChecksumsRequest(61, 4));
            rig.turn();
            assertEndedUnloaded(rig, ErrorCode.DIGEST_MISMATCH, "differs");
        }
    }

    @Test
    void aPageThatIsNoPageEndsIt() {
        try (TargetRig rig = TargetRig.in(TargetState.RESERVED)) {
            PageBatch batch = rig.source().pages().claim();
            batch.begin(0, 0);
            batch.append(3, 77, 0, 0);
            rig.source().pages().commit(batch);
            rig.turn();
            assertEndedUnloaded(rig, ErrorCode.PROTOCOL_VIOLATION, "unknown codec 77");
            assertEquals(1, rig.source().pages().unacknowledged());
        }
    }

    @Test
    void aGuestThatCannotBeTakenIsRefusedWithARemedy() {
        TargetRig rig = new TargetRig();
        rig.guest.failFit(new GuestException(ErrorCode.NO_ROOM, "no room", "free some"));
        try (rig) {
            rig.say(rig.hello());
            rig.turn();
            assertEquals(Result.REFUSED, rig.outcome().result());
            assertEquals("free some", rig.outcome().remedy());
            assertEquals(new Message.Failure(ErrorCode.NO_ROOM, "no room; free some"),
                    rig.last(Message.Failure.class));
            assertEquals(0, rig.log.count("target.prepare"));
        }
    }

    /** What fitted may fit no more when the first page comes, and the journal may fail then. */
    @Test
    void aGuestForWhichNoRoomCanBeMadeComesToNothing() {
        TargetRig rig = TargetRig.in(TargetState.RESERVED);
        rig.guest.failPrepare(new GuestException(ErrorCode.NO_ROOM, "no room", "free some"));
        try (rig) {
            rig.sendPages(0);
            rig.turn();
            assertEquals(Result.FAILED, rig.outcome().result());
            assertEquals(new Message.Cancel(0, ErrorCode.NO_ROOM, "no room; free some"),
                    rig.last(Message.Cancel.class));
            assertEquals(List.of(JournalState.SETTLED), rig.journal.states());
        }
        TargetRig full = TargetRig.in(TargetState.RESERVED);
        full.journalFailure = new IOException("there is one already");
        try (full) {
            full.sendPages(0);
            full.turn();
            assertEquals(ErrorCode.HOST_FAILED, full.outcome().code());
            assertEquals(0, full.log.count("target.prepare"));
        }
    }

    /** A source that was welcome and does nothing keeps the place for a while. */
    @Test
    void aPromiseIsKeptForAWhileAndLeavesNothing() {
        try (TargetRig rig = new TargetRig(60 * TargetRig.SECOND)) {
            rig.say(rig.hello());
            rig.turn();
            assertForgotten(rig, 15 * TargetRig.SECOND, "no data channel came within 15000 ms");
        }
    }

    /** One that attached its channels was let in, and is slow at worst; no window is needed. */
    @Test
    void whoseChannelsAreAttachedHasLongerForTheFirstPage() {
        try (TargetRig rig = TargetRig.in(TargetState.RESERVED)) {
            assertForgotten(rig, 30 * TargetRig.SECOND, "no page came within 30000 ms");
        }
        try (TargetRig rig = new TargetRig(60 * TargetRig.SECOND)) {
            rig.recoveryAddress(TargetState.RESERVED);
            assertForgotten(rig, 60 * TargetRig.SECOND, "no page came within 60000 ms");
        }
    }

    private static void assertForgotten(TargetRig rig, long after, String reason) {
        rig.clock.advance(after - 1);
        rig.turn();
        assertFalse(rig.target.isDone());
        rig.clock.advance(1);
        rig.turn();
        assertEquals(Result.REFUSED, rig.outcome().result());
        assertEquals(ErrorCode.DEADLINE, rig.outcome().code());
        assertEquals(reason, rig.outcome().reason());
        assertEquals(0, rig.log.count("target.prepare"));
        assertEquals(List.of(), rig.journal.states());
    }

    @Test
    void aMandatoryFeatureThatIsUnknownIsRefused() {
        for (long features : new long[] {1L << 32, 1L << 63}) {
            try (TargetRig rig = new TargetRig()) {
                Message.Hello usual = rig.hello();
                rig.say(new Message.Hello(usual.migrationId(), 0, features, 1, 1, usual.guest(),
                        ""));
                rig.turn();
                assertEquals(ErrorCode.FEATURE_MISSING, rig.outcome().code());
                assertEquals(0, rig.log.count("target.prepare"));
            }
        }
    }

    @Test
    void whatItCanDoIsGrantedAndDoesNotOutliveTheLink() {
        try (TargetRig rig = new TargetRig(30_000_000_000L)) {
            rig.guest.can(Message.FEATURE_STORAGE);
            Message.Hello usual = rig.hello();
            rig.say(new Message.Hello(usual.migrationId(), 0, Message.FEATURE_STORAGE | 1 << 16,
                    1, 1, usual.guest(), ""));
            rig.turn();
            assertEquals(Message.FEATURE_STORAGE, rig.last(Message.Welcome.class).features());
            rig.links.source().close();
            rig.turn();
            rig.turn();
            assertEquals(ErrorCode.LINK_LOST, rig.outcome().code());
            assertEquals(1, rig.log.count("target.discard"));
        }
    }

    private static void assertEndedUnloaded(TargetRig rig, ErrorCode code, String reason) {
        assertEquals(Result.FAILED, rig.outcome().result());
        assertEquals(code, rig.outcome().code());
        assertTrue(rig.outcome().reason().contains(reason), rig.outcome().reason());
        assertFalse(rig.guest.isLoaded());
        assertEquals(1, rig.log.count("target.discard"));
        assertEquals(List.of(JournalState.SETTLED), rig.journal.states());
    }
}
