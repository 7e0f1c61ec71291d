package io.pageferry.core.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.handover.Recovery.Doubt;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.testing.EventLog;
import io.pageferry.core.testing.ManualClock;
import io.pageferry.core.testing.TestJournal;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** A guest that does not answer whoever recovers it. */
class SilentRecoveryTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long WINDOW = 30 * SECOND;

    private final ManualClock clock = new ManualClock(0);
    private final TestJournal journal = new TestJournal("source", new EventLog());
    private final Silent guest = new Silent();
    private final List<String> words = new ArrayList<>();

    /** Throws as long as it is to. */
    private static final class Silent implements GuestHandle {
        private boolean answers;
        private boolean runs;
        private boolean left;

        private void answer() throws GuestException {
            if (!answers) {
                throw new GuestException(ErrorCode.GUEST_FAILED, "disk d0 hangs", "").silent();
            }
        }

        @Override
        public Condition condition() throws GuestException {
            answer();
            return runs ? Condition.RUNNING : Condition.PAUSED;
        }

        @Override
        public void resume() throws GuestException {
            answer();
            runs = true;
        }

        @Override
        public void leave() throws GuestException {
            answer();
            left = true;
        }

        @Override
        public void end() {
            throw new AssertionError("it is nobody's to end");
        }

        @Override
        public void forget() {
            throw new AssertionError("it is nobody's to forget");
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }

    private Recovery recovery(Side side, boolean stays) {
        return new Recovery(new AbandonedMigration() {
            @Override
            public UUID id() {
                return new UUID(1, 1);
            }

            @Override
            public Side side() {
                return side;
            }

            @Override
            public Optional<Journal> lockJournal() {
                return Optional.of(journal);
            }

            @Override
            public boolean lockGuest() {
                return true;
            }

            @Override
            public Optional<GuestHandle> guest() {
                return Optional.of(guest);
            }

            @Override
            public boolean endsGuest() {
                return true;
            }

            @Override
            public LinkOpener target() {
                throw new AssertionError("nobody is asked");
            }

            @Override
            public void close() {
                // Nothing is open.
            }
        }, new Recovery.Options(Doubt.STAY_PAUSED, 0, WINDOW, stays), clock, words::add);
    }

    private void runFor(Recovery recovery, long nanos) throws IOException {
        long end = clock.nanoTime() + nanos;
        while (clock.nanoTime() - end < 0) {
            recovery.doWork();
            clock.advance(SECOND / 20);
        }
    }

    private void journal(JournalState state) throws IOException {
        journal.write(new JournalRecord(state, 1, true, ""));
    }

    @Test
    void aGuardWaitsForItWithoutAnEnd() throws IOException {
        journal(JournalState.SWITCHOVER);
        try (Recovery guard = recovery(Side.SOURCE, true)) {
            runFor(guard, 10 * WINDOW);
            assertFalse(guard.isDone());
            assertEquals(JournalState.OWNED, journal.last().orElseThrow().state());
            assertEquals(1, words.size(), words::toString);
            guest.answers = true;
            runFor(guard, SECOND);
            assertEquals(Optional.of(Result.FAILED), guard.result());
            assertTrue(guest.runs && guest.left);
            assertEquals(JournalState.SETTLED, journal.last().orElseThrow().state());
        }
    }

    @Test
    void othersWaitForTheirWindowAndLeaveItToBeSettled() throws IOException {
        journal(JournalState.OWNED);
        try (Recovery settle = recovery(Side.SOURCE, false)) {
            runFor(settle, WINDOW - SECOND);
            assertFalse(settle.isDone());
            runFor(settle, 2 * SECOND);
            assertEquals(Optional.of(Result.IN_DOUBT), settle.result());
            assertEquals(JournalState.OWNED, journal.last().orElseThrow().state());
            assertTrue(words.getLast().contains("disk d0 hangs"), words::toString);
        }
    }

    @Test
    void whatWasChangedInOneThatRunsIsPutBackLater() throws IOException {
        try (Recovery settle = recovery(Side.SOURCE, false)) {
            runFor(settle, WINDOW);
            assertEquals(Optional.of(Result.FAILED), settle.result());
            assertFalse(journal.last().isPresent());
        }
        try (Recovery guard = recovery(Side.SOURCE, true)) {
            runFor(guard, WINDOW);
            guest.answers = true;
            runFor(guard, SECOND);
            assertTrue(guest.left);
            assertEquals(JournalState.SETTLED, journal.last().orElseThrow().state());
        }
    }

    @Test
    void oneThatWasGrantedRunsAtTheTargetOnceItAnswers() throws IOException {
        journal(JournalState.ACTIVE);
        try (Recovery guard = recovery(Side.TARGET, true)) {
            runFor(guard, 2 * WINDOW);
            guest.answers = true;
            runFor(guard, SECOND);
            assertEquals(Optional.of(Result.COMPLETED), guard.result());
            assertTrue(guest.runs);
            assertEquals(JournalState.RUNNING, journal.last().orElseThrow().state());
        }
    }
}
