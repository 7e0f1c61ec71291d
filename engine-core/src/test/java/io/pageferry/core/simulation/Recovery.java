package io.pageferry.core.simulation;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.StatusQuery;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.round.WriteThrottle;
import io.pageferry.core.testing.ManualClock;
import io.pageferry.core.testing.TestGuest;
import io.pageferry.core.testing.TestIncomingGuest;
import io.pageferry.core.testing.TestJournal;
import java.io.IOException;
import java.util.Optional;
import java.util.UUID;

/**
 * What is done for an agent that died, by its journal alone: the guard rows of the tables of
 * docs/PROTOCOL.md, and settling.
 */
final class Recovery {
    private static final long SETTLE_NANOS = 30_000_000_000L;

    private final UUID id;
    private final ManualClock clock;
    private final Mutant mutant;

    Recovery(UUID id, ManualClock clock, Mutant mutant) {
        this.id = id;
        this.clock = clock;
        this.mutant = mutant;
    }

    /** The guard of a source; returns a settlement to be stepped where the target must say. */
    Optional<Settling> source(TestGuest guest, TestJournal journal, LinkOpener opener) {
        guest.throttle().ifPresent(WriteThrottle::close);
        JournalRecord last = journal.decision().orElse(null);
        JournalState state = last == null ? JournalState.SWITCHOVER : last.state();
        switch (state) {
            case SWITCHOVER, OWNED -> resume(guest);
            case DONE -> end(guest);
            case GRANTED -> {
                if (mutant == Mutant.RESUME_IN_GRANTED) {
                    resume(guest);
                }
                return Optional.of(new Settling(guest, journal, last, opener));
            }
            default -> throw new AssertionError("a source's journal says " + state);
        }
        return Optional.empty();
    }

    /** A restart of the target. */
    static void target(TestIncomingGuest guest, TestJournal journal, boolean discarded) {
        JournalRecord last = journal.decision().orElse(null);
        if (last == null) {
            guest.discard();
            return;
        }
        switch (last.state()) {
            case PREPARED -> {
                write(journal, new JournalRecord(JournalState.REFUSED, last.epoch(), last.ran(),
                        "the agent was restarted"));
                guest.discard();
            }
            case REFUSED -> guest.discard();
            case ACTIVE -> {
                if (!discarded && (!last.ran() || runs(guest))) {
                    write(journal, new JournalRecord(JournalState.RUNNING, last.epoch(),
                            last.ran(), ""));
                }
                // Else it stays ACTIVE: nobody can know whether it ran.
            }
            case RETURNED, RUNNING -> { }
            default -> throw new AssertionError("a target's journal says " + last.state());
        }
    }

    /** A lock is freed some day; until then the guard tries again. */
    private static void resume(TestGuest guest) {
        for (int tries = 0; !guest.isRunning(); tries++) {
            try {
                guest.resume();
            } catch (GuestException e) {
                if (tries > 3) {
                    throw new AssertionError(e);
                }
            }
        }
    }

    private static boolean runs(TestIncomingGuest guest) {
        try {
            if (!guest.isRunning()) {
                guest.resume();
            }
            return true;
        } catch (GuestException e) {
            return false;
        }
    }

    private static void end(TestGuest guest) {
        try {
            guest.end();
        } catch (GuestException e) {
            throw new AssertionError(e);
        }
    }

    /** A disk that is full loses the record; whoever restarts finds the one before it. */
    private static void write(TestJournal journal, JournalRecord entry) {
        try {
            journal.write(entry);
        } catch (IOException e) {
            // Recorded by the journal as failed.
        }
    }

    /** Asks what became of a grant, as {@code pageferry settle} does. */
    final class Settling implements LinkHandler {
        private final TestGuest guest;
        private final TestJournal journal;
        private final JournalRecord granted;
        private final StatusQuery settlement;
        private boolean done;

        Settling(TestGuest guest, TestJournal journal, JournalRecord granted, LinkOpener opener) {
            this.guest = guest;
            this.journal = journal;
            this.granted = granted;
            this.settlement = new StatusQuery(id, granted.epoch(), opener, null,
                    new StatusQuery.Window(clock.nanoTime(), SETTLE_NANOS));
        }

        /** Returns whether it is over, by an answer or in doubt. */
        boolean step() {
            settlement.step(clock.nanoTime(), this);
            done |= settlement.isOver(clock.nanoTime());
            if (done) {
                settlement.close();
            }
            return done;
        }

        @Override
        public void onMessage(Message message) {
            switch (message) {
                case Message.Running running when running.epoch() == granted.epoch() -> {
                    write(journal, new JournalRecord(JournalState.DONE, granted.epoch(),
                            granted.ran(), ""));
                    end(guest);
                    done = true;
                }
                case Message.Refused refused when refused.epoch() == granted.epoch() -> owned();
                case Message.Returned returned when returned.epoch() == granted.epoch() ->
                        owned();
                default -> { }
            }
        }

        private void owned() {
            write(journal, new JournalRecord(JournalState.OWNED, granted.epoch() + 1,
                    granted.ran(), ""));
            resume(guest);
            done = true;
        }

        @Override
        public void onBatch(PageBatch batch) {
            throw new AssertionError("pages on a link that only asks");
        }

        @Override
        public void onLost(ErrorCode code, String reason) {
            // The next question opens another.
        }
    }
}
