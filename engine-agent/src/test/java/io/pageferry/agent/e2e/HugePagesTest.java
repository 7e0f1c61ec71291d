package io.pageferry.agent.e2e;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.userfault.KernelProbe;
import io.pageferry.agent.host.linux.userfault.UserfaultTracker;
import io.pageferry.agent.host.memory.MappedRegions;
import io.pageferry.agent.host.memory.RegionFiles;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.page.PageEncoder;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.SourceMigration;
import io.pageferry.core.precopy.RateLimiter;
import io.pageferry.core.precopy.RoundRunner;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.RoundStats;
import io.pageferry.core.testing.DirectSink;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A guest on huge pages of hugetlbfs beside ordinary memory, tracked by the kernel. */
@Sampled
class HugePagesTest {
    private static final int PAGE = 4096;
    private static final long HUGE_PAGES = 8;
    private static final long HUGE = HUGE_PAGES * SharedMemory.HUGE_PAGE;
    private static final long SMALL = 100L * PAGE;
    private static final long IN_HUGE = SharedMemory.HUGE_PAGE / PAGE;
    private static final long SEED = Long.getLong("pageferry.test.seed", 2);

    private final SplittableRandom random = new SplittableRandom(SEED);
    private MappedRegions source;
    private MappedRegions target;
    private UserfaultTracker tracker;

    @BeforeEach
    void make() {
        List<KernelProbe.Step> steps = KernelProbe.run();
        assumeTrue(KernelProbe.canTrackSelf(steps), KernelProbe.summary(steps));
        try {
            source = memory();
            target = memory();
        } catch (LinuxException e) {
            abort("hugetlbfs: " + 2 * HUGE_PAGES + " huge pages of 2 MiB are needed, see"
                    + " vm.nr_hugepages: " + e.getMessage());
        }
        List<UserfaultTracker.Range> ranges = new ArrayList<>();
        for (Region region : source.regions().regions()) {
            ranges.add(new UserfaultTracker.Range(source.window(region.id()).address(),
                    region.size(), source.regions().firstPage(region.id())));
        }
        tracker = UserfaultTracker.ofSelf(ranges).within(source);
    }

    @AfterEach
    void free() {
        if (tracker != null) {
            tracker.close();
        }
        for (MappedRegions memory : new MappedRegions[] {source, target}) {
            if (memory != null) {
                memory.close();
            }
        }
    }

    /** Ordinary memory before and behind, so that no huge page is where its index is round. */
    private static MappedRegions memory() throws LinuxException {
        SharedMemory huge = SharedMemory.createHuge("test-huge", HUGE);
        SharedMemory low = SharedMemory.create("test-low", SMALL);
        SharedMemory high = SharedMemory.create("test-high", SMALL);
        RegionTable regions = new RegionTable(List.of(
                new Region(0, "low", 0, SMALL, low.granule()),
                new Region(1, "huge", 1L << 32, HUGE, huge.granule()),
                new Region(2, "high", 1L << 33, SMALL, high.granule())));
        return new MappedRegions(regions, List.of(new RegionFiles.Part(low, 0),
                new RegionFiles.Part(huge, 0), new MappedRegions.Part(high, 0)));
    }

    @Test
    void theKernelReportsAWholeHugePageAlsoOneThatWasAHole() throws Exception {
        try (DirtyBitmap dirty = new DirtyBitmap(source.regions().pageCount())) {
            long first = source.regions().firstPage(1);
            assertEquals(SharedMemory.HUGE_PAGE, source.regions().region(1).granule());
            set(first, 1);
            tracker.start();
            tracker.harvest(dirty);
            assertEquals(0, dirty.count());
            set(first + 3, 1);
            set(first + 5 * IN_HUGE + 77, 1);
            set(first - 1, 1);
            tracker.harvest(dirty);
            assertEquals(first - 1, dirty.nextMarked(0));
            assertEquals(first + IN_HUGE, dirty.nextUnmarked(first));
            assertEquals(first + 5 * IN_HUGE, dirty.nextMarked(first + IN_HUGE));
            assertEquals(1 + 2 * IN_HUGE, dirty.count());
            dirty.clearAll();
            tracker.harvest(dirty);
            assertEquals(0, dirty.count());
            set(first + 4, 1);
            tracker.harvest(dirty);
            assertEquals(IN_HUGE, dirty.count());
        }
    }

    @Test
    void onlyChangedPagesAreSent() throws Exception {
        fill();
        try (DirectSink sink = new DirectSink(target); RoundRunner runner = new RoundRunner(source,
                tracker,
                List.of(new PageEncoder(CodecChoice.ADAPTIVE, 0, SystemNanoClock.INSTANCE)),
                new RateLimiter(SystemNanoClock.INSTANCE, Bandwidth.UNLIMITED))) {
            runner.start(sink);
            round(runner, 0);
            sink.takePages();
            long first = source.regions().firstPage(1);
            List<Long> pages = List.of(first - 7, first, first + IN_HUGE - 1, first + IN_HUGE,
                    first + HUGE_PAGES * IN_HUGE - 1, first + HUGE_PAGES * IN_HUGE + 2);
            for (long page : pages) {
                set(page, random.nextLong());
            }
            assertEquals(pages.size(), runner.harvest());
            round(runner, 1);
            assertEquals(pages, sink.takePages());
            assertEquals(0, runner.harvest());
            assertSame();
        }
    }

    /** The whole road: rounds under a writer in a thread of its own, verified, handed over. */
    @Test
    void aWholeMigrationUnderAWriterArrivesAndSendsWhatIsWritten() throws Exception {
        fill();
        AtomicLong writes = new AtomicLong();
        AtomicLong allowed = new AtomicLong();
        LibraryMove move = new LibraryMove(source, target, tracker);
        Thread writer = Thread.ofPlatform().start(() -> write(move, writes, allowed));
        SourceMigration end;
        try {
            // The writer may be four writes ahead of the turns; the pause waits for it.
            move.guest(allowed::incrementAndGet, () -> awaitEnd(writer));
            end = move.run();
        } finally {
            writer.interrupt();
            writer.join();
        }
        assertEquals(Result.COMPLETED, end.outcome().orElseThrow().result(),
                () -> end.outcome() + ", seed " + SEED);
        assertSame();
        List<RoundStats> rounds = move.listener().rounds();
        long sent = rounds.stream().filter(round -> round.round() > 0)
                .mapToLong(RoundStats::sentPages).sum();
        assertTrue(writes.get() > 0, "nothing was written");
        assertTrue(sent > 0 && sent <= writes.get(), () -> rounds + " for " + writes
                + " writes, seed " + SEED);
        assertEquals(0, tracker.failures());
    }

    private void write(LibraryMove move, AtomicLong writes, AtomicLong allowed) {
        SplittableRandom choice = new SplittableRandom(SEED + 1);
        long pages = source.regions().pageCount();
        while (move.isRunning() && !Thread.currentThread().isInterrupted()) {
            if (writes.get() < allowed.get()) {
                set(choice.nextLong(pages), choice.nextLong());
                writes.incrementAndGet();
            } else {
                Thread.onSpinWait();
            }
        }
    }

    private static void awaitEnd(Thread writer) {
        try {
            writer.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        assertFalse(writer.isAlive());
    }

    private void fill() {
        for (long page = 0; page < source.regions().pageCount(); page++) {
            set(page, random.nextLong());
        }
    }

    private void set(long page, long value) {
        int region = source.regions().regionOf(page);
        source.window(region).set(JAVA_LONG, source.regions().offsetInRegion(region, page)
                + 8 * (value >>> 55), value);
    }

    private static void round(RoundRunner runner, long number) {
        runner.begin(number, false, 0);
        while (!runner.isEncoded()) {
            runner.step(64);
        }
        runner.finish(0);
    }

    private void assertSame() {
        for (Region region : source.regions().regions()) {
            assertEquals(-1, source.window(region.id()).mismatch(target.window(region.id())),
                    () -> region + " differs, seed " + SEED);
        }
    }
}
