package io.pageferry.core.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.MigrationFigures.Audit;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.testing.Harness;
import io.pageferry.core.testing.SlowMemory;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** {@code --verify full}: the memory of the paused guest is compared, not what was sent of it. */
class FullVerifyTest {
    private static final int SEEDS = 40;

    /** A tracker that loses the writes of one page. */
    private record Forgetful(DirtyTracker tracker, long page) implements DirtyTracker {
        @Override
        public String name() {
            return tracker.name();
        }

        @Override
        public void start() throws TrackerException {
            tracker.start();
        }

        @Override
        public void harvest(DirtyBitmap into) throws TrackerException {
            boolean marked = into.isMarked(page);
            tracker.harvest(into);
            if (!marked) {
                into.clear(page);
            }
        }

        @Override
        public void close() {
            tracker.close();
        }
    }

    @Test
    void everySeedArrivesAsItWasPaused() {
        LongStream.range(0, SEEDS).forEach(seed -> {
            try (Harness harness = new Harness(seed).source(drawn -> with(drawn, true))) {
                Harness.Ends ends = harness.run();
                String what = "seed " + seed + ": " + ends + "; " + harness.log();
                assertEquals(Result.COMPLETED, ends.source().result(), what);
                assertEquals(0, harness.incoming().wrongPages(), what);
                assertEquals(2, harness.target().figures().verification());
            }
        });
    }

    @Test
    void findsWhatTheTrackerMissed() {
        LongStream.range(0, SEEDS).forEach(seed -> {
            try (Harness harness = forgetful(seed, true)) {
                Harness.Ends ends = harness.run();
                String what = "seed " + seed + ": " + ends + "; " + harness.log();
                assertEquals(Result.FAILED, ends.source().result(), what);
                assertEquals(ErrorCode.DIGEST_MISMATCH, ends.source().code(), what);
                assertTrue(ends.source().reason().contains("the guest's memory, first in page 0 ("),
                        what);
                assertTrue(harness.guest().isRunning(), what);
                assertFalse(harness.incoming().isLoaded(), what);
            }
        });
    }

    /** The guest runs at the target by then, and is this target's. */
    @Test
    void anAuditNamesWhatTheTrackerMissed() {
        LongStream.range(0, SEEDS).forEach(seed -> {
            try (Harness harness = forgetful(seed, false)) {
                harness.source(drawn -> with(drawn, false).withAudit(true));
                Harness.Ends ends = harness.run();
                String what = "seed " + seed + ": " + ends + "; " + harness.log();
                assertEquals(Result.FAILED_AT_TARGET, ends.source().result(), what);
                assertEquals(ErrorCode.AUDIT, ends.source().code(), what);
                assertTrue(ends.source().reason().contains("1 pages of its memory here are not what"
                        + " was moved: page 0 ("), what);
                assertEquals(Result.COMPLETED, ends.target().result(), what);
                assertTrue(harness.incoming().isRunning(), what);
                assertFalse(harness.guest().isRunning(), what);
                assertEquals(1, harness.log().count("source.end"), what);
            }
        });
    }

    @Test
    void anAuditOfWhatArrivedComparesEveryPage() {
        LongStream.range(0, SEEDS).forEach(seed -> {
            try (Harness harness = new Harness(seed)
                    .source(drawn -> with(drawn, false).withAudit(true))) {
                Harness.Ends ends = harness.run();
                String what = "seed " + seed + ": " + ends + "; " + harness.log();
                assertEquals(Result.COMPLETED, ends.source().result(), what);
                Audit audit = harness.source().figures().audit().orElseThrow();
                assertEquals(harness.guest().workload().pages(), audit.pages(), what);
                assertEquals(0, audit.differing(), what);
            }
        });
    }

    /** Somebody ended the guest here, which runs at the target. */
    @Test
    void anAuditEndsWithTheMemoryThatItReads() {
        LongStream.range(0, SEEDS).forEach(seed -> {
            AtomicReference<SlowMemory> memory = new AtomicReference<>();
            try (Harness harness = new Harness(seed)
                    .source(drawn -> with(drawn, false).withAudit(true))
                    .bendMemory(real -> {
                        memory.set(new SlowMemory(real, seed));
                        return memory.get();
                    }, real -> real)) {
                harness.eachStep(() -> {
                    if (harness.sourceJournal().states().contains(JournalState.DONE)) {
                        memory.get().failingAfter(0);
                    }
                });
                Harness.Ends ends = harness.run();
                String what = "seed " + seed + ": " + ends + "; " + harness.log();
                assertEquals(Result.COMPLETED, ends.source().result(), what);
                assertEquals(1, harness.log().count("source.end"), what);
                assertEquals(0, harness.source().figures().audit().orElseThrow().pages(), what);
            }
        });
    }

    /** The control: what was sent did arrive, and that is all that {@code sent} says. */
    @Test
    void whatWasSentDoesNotShowIt() {
        LongStream.range(0, SEEDS).forEach(seed -> {
            try (Harness harness = forgetful(seed, false)) {
                Harness.Ends ends = harness.run();
                String what = "seed " + seed + ": " + ends + "; " + harness.log();
                assertEquals(Result.COMPLETED, ends.source().result(), what);
                assertEquals(1, harness.incoming().wrongPages(), what);
            }
        });
    }

    /** Page 0 is written while the guest runs, and the tracker forgets it. */
    private static Harness forgetful(long seed, boolean full) {
        Harness harness = new Harness(seed).source(drawn -> with(drawn, full)).writes(0);
        harness.guest().stateTakes(0, 0);
        harness.guest().writeData(0);
        harness.guest().show(new Forgetful(harness.guest().tracker(), 0));
        harness.eachStep(() -> {
            if (harness.guest().isRunning() && !harness.source().isDone()
                    && !harness.sourceJournal().states().contains(JournalState.SWITCHOVER)) {
                harness.guest().writeData(0);
            }
        });
        return harness;
    }

    private static SourceOptions with(SourceOptions drawn, boolean full) {
        return drawn.withVerification(full ? Verification.FULL : Verification.SENT);
    }
}
