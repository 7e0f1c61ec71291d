package io.pageferry.core.outgoing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.phase.EndingGuest;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.outgoing.session.Wording.Remedy;
import io.pageferry.core.testing.MemoryLinks;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** The source's rows from the grant on: nothing resumes here but by the target's durable no. */
class StatusQueryTest {
    private static final long MILLI = 1_000_000L;

    @Test
    void cancelComesTooLateAndIsSaidOnce() {
        try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
            rig.source.cancel();
            rig.turns(5);
            assertEquals(SourceState.GRANTED, rig.source.state());
            assertEquals(1, rig.listener.lines().stream()
                    .filter(line -> line.contains("too late")).count());
            rig.say(new Message.Running(1, 1));
            rig.quiet();
            assertEquals(Result.COMPLETED, rig.outcome().result());
        }
    }

    @Test
    void asksWithGrowingPausesOnTheLinkOfTheGrant() {
        try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
            long[] pauses = {100, 200, 400, 800, 1600, 2000, 2000};
            long asked = 0;
            for (long pause : pauses) {
                rig.clock.advance(pause * MILLI - 1);
                rig.turn();
                assertEquals(asked, questions(rig), "pause " + pause);
                rig.clock.advance(1);
                rig.turn();
                assertEquals(++asked, questions(rig), "pause " + pause);
            }
            assertEquals(new Message.Status(SourceRig.ID, 1), rig.last(Message.Status.class));
        }
    }

    @Test
    void noWordUntilTheWindowIsOverIsDoubt() {
        try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
            rig.links.cut(ErrorCode.LINK_LOST, "cut by the test");
            for (int i = 0; i < 299; i++) {
                rig.clock.advance(100 * MILLI);
                rig.turn();
            }
            assertFalse(rig.source.isDone());
            rig.clock.advance(100 * MILLI);
            rig.turn();
            assertEquals(Result.IN_DOUBT, rig.outcome().result());
            assertEquals(Remedy.ASK_TARGET.label() + " " + SourceRig.ID, rig.outcome().remedy());
            assertFalse(rig.guest.isRunning());
            assertEquals(JournalState.GRANTED, rig.journal.last().orElseThrow().state());
            assertEquals(0, rig.log.count("source.resume"));
        }
    }

    @Test
    void anAnswerOnALaterLinkCounts() {
        for (boolean runs : new boolean[] {true, false}) {
            try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
                rig.links.cut(ErrorCode.LINK_LOST, "cut by the test");
                rig.turn();
                rig.clock.advance(100 * MILLI);
                rig.turn();
                MemoryLinks later = rig.later.getFirst();
                assertEquals(List.of(new Message.Status(SourceRig.ID, 1)), heard(later));
                later.target().send(new Message.StatusUnknown(1, "not decided yet"));
                rig.turn();
                assertEquals(SourceState.GRANTED, rig.source.state());
                later.target().send(runs ? new Message.Running(1, 5)
                        : new Message.Refused(1, "link lost"));
                rig.quiet();
                assertEquals(runs ? Result.COMPLETED : Result.FAILED, rig.outcome().result());
                assertEquals(!runs, rig.guest.isRunning());
                assertTrue(heard(later).getFirst() instanceof Message.Farewell);
            }
        }
    }

    @Test
    void aLaterLinkThatIsLostIsReplaced() {
        try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
            rig.links.cut(ErrorCode.LINK_LOST, "cut by the test");
            for (int i = 0; i < 5; i++) {
                rig.clock.advance(2000 * MILLI);
                rig.turn();
                assertEquals(i + 1, rig.later.size());
                rig.later.getLast().cut(ErrorCode.LINK_LOST, "again");
                rig.turn();
            }
            assertEquals(SourceState.GRANTED, rig.source.state());
        }
    }

    @Test
    void aLockThatIsFreedLetsTheGuestRun() {
        try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
            for (int i = 0; i < 3; i++) {
                rig.guest.failResumeOnce(locked());
            }
            rig.say(new Message.Returned(1, "a lock"));
            rig.turn();
            assertEquals(SourceState.OWNED, rig.source.state());
            for (int i = 0; i < 3; i++) {
                assertFalse(rig.guest.isRunning());
                rig.clock.advance(200 * MILLI);
                rig.turn();
            }
            assertTrue(rig.guest.isRunning());
            rig.turn();
            assertEquals(Result.FAILED, rig.outcome().result());
            assertTrue(rig.log.inOrder("source.J(OWNED 2)", "source.resume failed",
                    "source.resume", "source.J(SETTLED 2)"), rig.log.toString());
        }
    }

    @Test
    void aLockThatIsNeverFreedIsDoubt() {
        try (SourceRig rig = SourceRig.in(SourceState.OWNED)) {
            for (int i = 0; i < 149; i++) {
                rig.clock.advance(200 * MILLI);
                rig.turn();
            }
            assertFalse(rig.source.isDone());
            rig.clock.advance(200 * MILLI);
            rig.turn();
            assertEquals(Result.IN_DOUBT, rig.outcome().result());
            assertTrue(rig.outcome().reason().contains("a lock is held"));
            assertEquals(JournalState.OWNED, rig.journal.last().orElseThrow().state());
        }
    }

    @Test
    void aResumeThatCannotSucceedIsDoubtAtOnce() {
        try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
            rig.guest.failResume(new GuestException(ErrorCode.GUEST_FAILED, "broken", ""));
            rig.say(new Message.Refused(1, "no"));
            rig.turn();
            assertEquals(Result.IN_DOUBT, rig.outcome().result());
            assertEquals(JournalState.OWNED, rig.journal.last().orElseThrow().state());
        }
    }

    @Test
    void aGuestThatDiedWhileOursWasPausedHasEnded() {
        try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
            rig.guest.crash("killed");
            rig.say(new Message.Refused(1, "no"));
            rig.turn();
            assertEquals(Result.GUEST_ENDED, rig.outcome().result());
        }
    }

    @Test
    void ownedWithoutARecordStillRuns() {
        // The target's no is durable there, so it is asked again and says it again.
        try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
            rig.journal.failOn(JournalState.OWNED, false);
            rig.say(new Message.Refused(1, "no"));
            rig.turns(2);
            assertTrue(rig.guest.isRunning());
            assertEquals(Result.FAILED, rig.outcome().result());
            assertTrue(rig.listener.lines().stream().anyMatch(line -> line.contains("OWNED")));
        }
    }

    @Test
    void nothingEndsInTheGuestsFirstMoments() {
        try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
            rig.say(new Message.Running(1, 1));
            rig.turn();
            rig.clock.advance(EndingGuest.QUIET_NANOS - 1);
            rig.turns(3);
            assertEquals(SourceState.DONE, rig.source.state());
            assertEquals(0, rig.log.count("source.end"));
            assertFalse(rig.heard(Message.Farewell.class));
            rig.clock.advance(1);
            rig.turn();
            assertEquals(1, rig.log.count("source.end"));
            assertTrue(rig.heard(Message.Farewell.class));
        }
    }

    @Test
    void aGuestThatDidNotRunHasNoFirstMoments() throws Exception {
        try (SourceRig rig = new SourceRig()) {
            rig.guest.pause();
            rig.recoveryAddress(SourceState.GRANTED);
            rig.say(new Message.Running(1, 1));
            rig.turns(2);
            assertEquals(1, rig.log.count("source.end"));
            assertTrue(rig.heard(Message.Farewell.class));
        }
    }

    @Test
    void doneWithoutARecordStillEndsTheGuest() {
        try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
            rig.journal.failOn(JournalState.DONE, false);
            rig.say(new Message.Running(1, 1));
            rig.quiet();
            assertEquals(Result.COMPLETED, rig.outcome().result());
            assertEquals(1, rig.log.count("source.end"));
        }
    }

    @Test
    void aGuestThatCouldNotBeEndedIsNotSettled() {
        try (SourceRig rig = SourceRig.in(SourceState.GRANTED)) {
            rig.guest.failEnd(new GuestException(ErrorCode.GUEST_FAILED, "it hangs", ""));
            rig.say(new Message.Running(1, 1));
            rig.quiet();
            assertEquals(Result.COMPLETED, rig.outcome().result());
            assertEquals(JournalState.DONE, rig.journal.last().orElseThrow().state());
            assertTrue(rig.listener.lines().stream().anyMatch(line -> line.contains("it hangs")));
        }
    }

    @Test
    void aGuestThatIsToBeKeptIsNotEnded() {
        SourceRig rig = new SourceRig(drawn -> drawn.withEndGuest(false),
                UnaryOperator.identity());
        try (rig) {
            rig.recoveryAddress(SourceState.GRANTED);
            rig.say(new Message.Running(1, 1));
            rig.quiet();
            assertEquals(Result.COMPLETED, rig.outcome().result());
            assertEquals(0, rig.log.count("source.end"));
            assertFalse(rig.guest.isRunning());
            assertEquals(JournalState.SETTLED, rig.journal.last().orElseThrow().state());
        }
    }

    private static GuestException locked() {
        return new GuestException(ErrorCode.GUEST_FAILED, "a lock is held", "").retryable();
    }

    private static long questions(SourceRig rig) {
        return rig.received.stream().filter(Message.Status.class::isInstance).count();
    }

    private static List<Message> heard(MemoryLinks links) {
        List<Message> messages = new ArrayList<>();
        links.target().poll(new LinkHandler() {
            @Override
            public void onMessage(Message message) {
                messages.add(message);
            }

            @Override
            public void onBatch(PageBatch batch) {
                throw new IllegalStateException("pages on a link that only asks");
            }

            @Override
            public void onLost(ErrorCode code, String reason) {
                // Not asked for here.
            }
        });
        return messages;
    }
}
