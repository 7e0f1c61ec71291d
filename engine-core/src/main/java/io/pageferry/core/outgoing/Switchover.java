package io.pageferry.core.outgoing;

import io.pageferry.core.handover.MigrationFigures.Part;
import io.pageferry.core.image.MemoryReader;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.flow.Outbox;
import io.pageferry.core.link.flow.StateChunker;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.migration.Verification;
import io.pageferry.core.precopy.RoundRunner;
import io.pageferry.core.round.RoundStats;
import java.io.IOException;

/**
 * The guest is paused: last pages, device state, COMPLETE. Saving the state can dirty memory, so
 * there is one more harvest after it; those pages go behind a barrier of their own, for a page is
 * sent at most once between two barriers.
 */
final class Switchover {
    private enum Phase { LAST_PAGES, SAVING, BARRIER, STATE_PAGES, SETTLING, READING, WAITING }

    private static final int PAGES_A_TURN = 1024;

    /** Pages read in one turn: 64 MiB, some milliseconds. */
    private static final int READ_A_TURN = 16384;

    private final SourceParts parts;
    private final Outbox outbox;
    private final RoundRunner runner;
    private final Progress progress;
    private final long epoch;
    private Phase phase = Phase.LAST_PAGES;
    private long round;
    private long pauseNanos;
    private long pagesNanos;
    private StateChunker chunker;
    private MemoryReader reader;
    private long readingNanos;
    private Message.StateSum state = new Message.StateSum(0, 0);

    Switchover(SourceParts parts, Outbox outbox, RoundRunner runner, Progress progress,
            long epoch) {
        this.parts = parts;
        this.outbox = outbox;
        this.runner = runner;
        this.progress = progress;
        this.epoch = epoch;
    }

    /** Pauses the guest and begins the last round. */
    void begin(long lastRound) throws GuestException {
        outbox.send(new Message.Switchover(epoch));
        pauseNanos = now();
        parts.guest().pause();
        pagesNanos = lap(Part.PAUSE, pauseNanos);
        runner.harvest();
        pagesNanos = lap(Part.SCAN, pagesNanos);
        round = lastRound + 1;
        runner.begin(round, true, pagesNanos);
    }

    /** The link is lost: what the round under way has sent counts as traffic. */
    void interrupt() {
        if (phase != Phase.WAITING && phase != Phase.READING) {
            progress.figures().interrupted(runner.finish(now()));
        }
    }

    /** The highest round begun. */
    long round() {
        return round;
    }

    /** Why it must end now, or null. */
    Outcome overdue() {
        if (parts.guest().resumedExternally()) {
            // What it does now is not in the pages that were sent.
            return Outcome.of(Result.FAILED, ErrorCode.GUEST_FAILED,
                    "somebody let the guest go on while it was paused for the move", Side.SOURCE)
                    .withRemedy("leave its other monitors alone, and move again");
        }
        boolean cold = parts.options().cold();
        long limit = cold ? parts.options().limits().timeoutNanos()
                : parts.options().limits().maxSwitchoverNanos();
        return now() - pauseNanos < limit ? null : Outcome.of(Result.FAILED, ErrorCode.DEADLINE,
                "the pause was longer than " + (cold ? "--timeout " : "--max-switchover ")
                + limit / 1_000_000 + " ms",
                Side.SOURCE);
    }

    /** When the pause was asked for. */
    long pausedAt() {
        return pauseNanos;
    }

    /** Whether COMPLETE was sent and READY may come. */
    boolean isComplete() {
        return phase == Phase.WAITING;
    }

    /** Does what can be done. */
    void step() throws IOException {
        if (chunker != null) {
            progress.worked(chunker.pump());
        }
        switch (phase) {
            case LAST_PAGES -> encodeThen(Phase.SAVING);
            case SAVING -> save();
            case BARRIER -> {
                if (progress.applied() >= round && runner.isAcknowledged()) {
                    endRound();
                    runner.begin(++round, true, now());
                    phase = Phase.STATE_PAGES;
                }
            }
            case STATE_PAGES -> encodeThen(Phase.SETTLING);
            case SETTLING -> {
                if (runner.isAcknowledged() && chunker.isSent()) {
                    settle();
                }
            }
            case READING -> read();
            case WAITING -> { }
        }
    }

    private void encodeThen(Phase next) {
        progress.worked(runner.step(PAGES_A_TURN));
        parts.listener().progress(round, runner.counter().handled(), runner.counter().dirtyPages());
        if (runner.isEncoded()) {
            progress.announce(round);
            outbox.send(new Message.RoundEnd(round, parts.link().pages().lastSequences()));
            phase = next;
        }
    }

    private void save() throws IOException {
        long before = now();
        chunker = new StateChunker(outbox, runner.pacer(), epoch);
        parts.guest().saveState(chunker);
        state = chunker.finish();
        progress.figures().deviceState(state.length());
        long scanning = lap(Part.STATE_SAVE, before);
        runner.harvest();
        // Once, and here: nothing opens a hole behind this. To walk the data of a resident guest
        // costs 8 ms a GiB, so a second walk before the state would be downtime for nothing.
        long dirtied = runner.harvestHoles();
        lap(Part.SCAN, scanning);
        phase = dirtied == 0 ? Phase.SETTLING : Phase.BARRIER;
    }

    private void settle() {
        endRound();
        readingNanos = lap(Part.LAST_PAGES, pagesNanos);
        if (parts.options().verification() == Verification.FULL) {
            reader = new MemoryReader(parts.guest().memory(), runner.sent());
            phase = Phase.READING;
        } else {
            complete();
        }
    }

    private void read() {
        progress.worked(reader.step(READ_A_TURN));
        if (reader.isDone()) {
            lap(Part.VERIFY, readingNanos);
            complete();
        }
    }

    private void complete() {
        long left = runner.left();
        if (left != 0) {
            throw new IllegalStateException(left + " pages are still owed at the end");
        }
        outbox.send(new Message.Complete(epoch, runner.sent().digest(), left,
                parts.link().pages().lastSequences(), state));
        phase = Phase.WAITING;
    }

    private void endRound() {
        RoundStats stats = runner.finish(now());
        progress.figures().add(stats);
        parts.listener().round(stats);
    }

    private long lap(Part part, long since) {
        long now = now();
        progress.figures().add(part, now - since);
        return now;
    }

    private long now() {
        return parts.clock().nanoTime();
    }
}
