package io.pageferry.core.incoming;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.testing.MemoryLinks;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A target whose link was lost, and what comes to it over a new one. */
class TargetResumeTest {
    private static final long WINDOW = 30 * TargetRig.SECOND;
    private static final UUID TOKEN = new UUID(8, 8);

    private final MemoryLinks fresh = MemoryLinks.orderly();
    private final List<Message> heard = new ArrayList<>();

    @AfterEach
    void end() {
        fresh.close();
    }

    private static Message.Resume resume(long generation, long epoch) {
        return new Message.Resume(TargetRig.ID, TOKEN, generation, epoch);
    }

    private static TargetRig lost(TargetState state) {
        TargetRig rig = new TargetRig(WINDOW).recoveryAddress(state);
        rig.links.cut(ErrorCode.LINK_LOST, "cut by the test");
        rig.turns(2);
        return rig;
    }

    @Test
    void theImageIsKeptForTheWindowAndThenDiscarded() {
        for (TargetState state : List.of(TargetState.RESERVED, TargetState.RECEIVING)) {
            try (TargetRig rig = lost(state)) {
                rig.clock.advance(WINDOW - 1);
                rig.turn();
                assertFalse(rig.target.isDone());
                assertEquals(0, rig.log.count("target.discard"));
                rig.clock.advance(1);
                rig.turn();
                boolean begun = state == TargetState.RECEIVING;
                assertEquals(begun ? Result.FAILED : Result.REFUSED, rig.outcome().result());
                assertEquals(ErrorCode.LINK_LOST, rig.outcome().code());
                assertEquals(begun ? 1 : 0, rig.log.count("target.discard"));
            }
        }
    }

    @Test
    void itIsTakenUpInTheGenerationAskedFor() {
        try (TargetRig rig = lost(TargetState.RECEIVING)) {
            assertEquals(Optional.empty(), rig.target.resume(fresh.target(), resume(3, 0)));
            poll();
            assertEquals(List.of(new Message.Welcome(TOKEN, 3, 0, 1, 16)), heard);
            sendPage(3);
            rig.target.doWork();
            poll();
            assertEquals(0, fresh.source().pages().unacknowledged());
            // The window of the link before is over for nobody.
            rig.clock.advance(WINDOW);
            rig.target.doWork();
            assertFalse(rig.target.isDone());
        }
    }

    @Test
    void anotherPeerDoesNotTakeItUp() {
        try (TargetRig rig = lost(TargetState.RECEIVING)) {
            fresh.identify("CN=thief");
            Message.Failure no = assertInstanceOf(Message.Failure.class,
                    rig.target.resume(fresh.target(), resume(3, 0)).orElseThrow());
            assertEquals("the session belongs to another peer", no.reason());
            fresh.identify(null);
            assertEquals(Optional.empty(), rig.target.resume(fresh.target(), resume(3, 0)));
        }
    }

    @Test
    void anOldLinkThatStillStandsIsClosedAndWhatItHeldIsDropped() {
        try (TargetRig rig = new TargetRig(WINDOW).recoveryAddress(TargetState.RESERVED)) {
            rig.sendPages(0);
            assertEquals(Optional.empty(), rig.target.resume(fresh.target(), resume(2, 0)));
            assertFalse(rig.links.target().isUp());
            rig.target.doWork();
            assertEquals(TargetState.RESERVED, rig.target.state());
            assertEquals(1, rig.source().pages().unacknowledged());
        }
    }

    @Test
    void aStrangerDisturbsNothing() {
        try (TargetRig rig = new TargetRig(WINDOW).recoveryAddress(TargetState.RECEIVING)) {
            List<Message.Resume> strangers = List.of(
                    new Message.Resume(TargetRig.ID, new UUID(8, 9), 2, 0),
                    new Message.Resume(TargetRig.ID, new UUID(9, 8), 2, 0),
                    new Message.Resume(new UUID(7, 8), TOKEN, 2, 0), resume(1, 0));
            for (Message.Resume stranger : strangers) {
                assertInstanceOf(Message.Failure.class,
                        rig.target.resume(fresh.target(), stranger).orElseThrow());
                assertTrue(rig.links.target().isUp());
            }
            rig.say(new Message.RoundEnd(0, rig.source().pages().lastSequences()));
            rig.turns(2);
            assertEquals(0, rig.last(Message.RoundApplied.class).round());
        }
    }

    @Test
    void aBatchOfAnOldGenerationIsRefused() {
        try (TargetRig rig = lost(TargetState.RECEIVING)) {
            rig.target.resume(fresh.target(), resume(3, 0));
            poll();
            sendPage(2);
            rig.target.doWork();
            assertEquals(ErrorCode.PROTOCOL_VIOLATION, rig.outcome().code());
            assertTrue(rig.outcome().reason().contains("generation 2"), rig.outcome().reason());
            assertEquals(1, rig.log.count("target.discard"));
        }
    }

    @Test
    void aBarrierOfTheOldConnectionsNeverPasses() {
        try (TargetRig rig = new TargetRig(WINDOW).recoveryAddress(TargetState.RECEIVING)) {
            rig.say(new Message.RoundEnd(0, new long[] {2}));
            rig.turn();
            rig.links.cut(ErrorCode.CORRUPT_FRAME, "cut by the test");
            rig.turns(2);
            rig.target.resume(fresh.target(), resume(2, 0));
            poll();
            sendPage(2);
            sendPage(2);
            rig.target.doWork();
            rig.target.doWork();
            poll();
            assertEquals(1, heard.size(), heard.toString());
        }
    }

    @Test
    void aCompleteThatWasNotProvedIsForgotten() {
        TargetRig rig = new TargetRig(WINDOW).recoveryAddress(TargetState.RECEIVING);
        try (rig) {
            rig.say(new Message.Switchover(1));
            rig.sayState();
            long[] beyond = rig.source().pages().lastSequences();
            beyond[0]++;
            rig.say(new Message.Complete(1, rig.digest(), 0, beyond, rig.stateSum()));
            rig.turns(2);
            rig.links.cut(ErrorCode.LINK_LOST, "cut by the test");
            rig.turns(2);
            assertEquals(Optional.empty(), rig.target.resume(fresh.target(), resume(2, 1)));
            poll();
            sendPage(2);
            for (int i = 0; i < 5; i++) {
                rig.target.doWork();
            }
            assertEquals(TargetState.RECEIVING, rig.target.state());
            assertFalse(rig.recorded(JournalState.PREPARED));
        }
    }

    @Test
    void whoWasReadyRefusesForEver() {
        try (TargetRig rig = new TargetRig(WINDOW).recoveryAddress(TargetState.READY)) {
            Message answer = rig.target.resume(fresh.target(), resume(2, 1)).orElseThrow();
            assertEquals(1, assertInstanceOf(Message.Refused.class, answer).epoch());
            assertTrue(rig.recorded(JournalState.REFUSED));
            assertTrue(rig.target.isDone());
            assertEquals(1, rig.log.count("target.discard"));
        }
    }

    @Test
    void whoRunsTheGuestIsNotTalkedOutOfIt() {
        try (TargetRig rig = new TargetRig(WINDOW).recoveryAddress(TargetState.RUNNING)) {
            assertInstanceOf(Message.Failure.class,
                    rig.target.resume(fresh.target(), resume(2, 1)).orElseThrow());
            assertTrue(rig.guest.isRunning());
        }
    }

    /** One page over the new link, which the test stamps with a generation. */
    private void sendPage(long generation) {
        PageBatch batch = fresh.source().pages().claim();
        batch.begin(0, 1);
        batch.append(0, PageCodec.ZERO, 0, PageChecksum.OF_ZEROS);
        fresh.source().pages().commit(batch);
        batch.stamp(generation, 0, batch.sequence());
    }

    private void poll() {
        fresh.source().poll(new LinkHandler() {
            @Override
            public void onMessage(Message message) {
                heard.add(message);
                if (message instanceof Message.Welcome welcome) {
                    fresh.source().openChannels(welcome);
                }
            }

            @Override
            public void onBatch(PageBatch batch) {
                throw new AssertionError("a target sends no pages");
            }

            @Override
            public void onLost(ErrorCode code, String reason) {
                // The test looks at the target's side.
            }
        });
    }
}
