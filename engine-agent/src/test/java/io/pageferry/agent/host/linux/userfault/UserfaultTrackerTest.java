package io.pageferry.agent.host.linux.userfault;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.memory.MappedRegions;
import io.pageferry.agent.host.memory.RegionFiles;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.memory.RegionTable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** Alone, because one of them looks at the page tables of the whole JVM. */
@Tag("timing")
@Isolated
class UserfaultTrackerTest {
    private static final int PAGE = 4096;
    private static final int PAGES = 2048;
    private static final int ROUNDS = 200;

    @BeforeAll
    static void needed() {
        Requirements.ownTracking();
    }

    /** 4 GiB of holes: protected one by one they would cost 8 MiB of page tables. */
    @Test
    void holesAreLeftAloneAndWhatIsBornInThemIsSeen() throws Exception {
        long pages = (1 << 20) + 3;
        try (MappedRegions sparse = new MappedRegions(RegionTable.single("ram", pages * PAGE),
                List.of(new RegionFiles.Part(
                        SharedMemory.create("test", pages * PAGE), 0)));
                DirtyBitmap dirty = new DirtyBitmap(pages)) {
            MemorySegment live = sparse.window(0);
            live.set(JAVA_LONG, 5 * PAGE, 1);
            live.set(JAVA_LONG, (pages - 1) * PAGE, 1);
            long before = pageTableKib();
            try (UserfaultTracker tracker = whole(live).within(sparse)) {
                tracker.start();
                tracker.harvest(dirty);
                assertEquals(0, dirty.count());
                live.set(JAVA_LONG, 5 * PAGE, 2);
                live.set(JAVA_LONG, 700_000L * PAGE, 2);
                tracker.harvest(dirty);
                assertEquals(5, dirty.nextMarked(0));
                assertEquals(700_000, dirty.nextMarked(6));
                assertEquals(2, dirty.count());
                dirty.clearAll();
                tracker.harvest(dirty);
                assertEquals(0, dirty.count());
                live.set(JAVA_LONG, 700_000L * PAGE, 3);
                live.set(JAVA_LONG, (pages - 1) * PAGE, 3);
                tracker.harvest(dirty);
                assertEquals(700_000, dirty.nextMarked(0));
                assertEquals(pages - 1, dirty.nextMarked(700_001));
                assertTrue(pageTableKib() - before < 2048,
                        () -> "page tables grew from " + before + " KiB");
            }
        }
    }

    private static long pageTableKib() throws IOException {
        return Long.parseLong(Processes.status(ProcessHandle.current().pid(), "VmPTE")
                .replace("kB", "").strip());
    }

    @Test
    void missesNoWriteOfTwoWriters() throws Exception {
        assertEquals(0, stalePages(Integer.MAX_VALUE), "pages missed");
    }

    @Test
    void droppedReportIsCaught() throws Exception {
        assertTrue(stalePages(7) > 0, "this comparison would not see a missed write");
    }

    /** Copies what is reported while two threads write; withholds every n-th page's reports. */
    private static long stalePages(int withheld) throws Exception {
        try (SharedMemory memory = SharedMemory.create("test", (long) PAGES * PAGE);
                Arena arena = Arena.ofShared();
                DirtyBitmap dirty = new DirtyBitmap(PAGES)) {
            MemorySegment live = memory.map(0, memory.size(), arena);
            MemorySegment copy = arena.allocate(live.byteSize(), PAGE);
            AtomicBoolean stop = new AtomicBoolean();
            AtomicLong writes = new AtomicLong();
            try (UserfaultTracker tracker = whole(live)) {
                tracker.start();
                memory.read(0, copy, 0, copy.byteSize());
                Thread[] writers = {writer(live, stop, writes, 1), writer(live, stop, writes, 2)};
                for (int round = 0; round < ROUNDS; round++) {
                    long seen = writes.get();
                    Stranger.await("writes", () -> writes.get() > seen);
                    copyReported(tracker, dirty, live, copy, withheld);
                }
                stop.set(true);
                for (Thread thread : writers) {
                    thread.join();
                }
                copyReported(tracker, dirty, live, copy, withheld);
            }
            return differing(live, copy);
        }
    }

    private static Thread writer(MemorySegment live, AtomicBoolean stop, AtomicLong writes,
            int number) {
        SplittableRandom random = new SplittableRandom(Requirements.seed() + number);
        return Thread.ofPlatform().start(() -> {
            while (!stop.get()) {
                for (int i = 0; i < 64; i++) {
                    long page = random.nextInt(PAGES);
                    live.set(JAVA_LONG, page * PAGE + 8L * random.nextInt(PAGE / 8),
                            random.nextLong());
                }
                writes.addAndGet(64);
            }
        });
    }

    private static void copyReported(UserfaultTracker tracker, DirtyBitmap dirty,
            MemorySegment live, MemorySegment copy, int withheld) throws TrackerException {
        tracker.harvest(dirty);
        for (long page = dirty.nextMarked(0); page < PAGES; page = dirty.nextMarked(page + 1)) {
            dirty.clear(page);
            if (page % withheld != withheld - 1) {
                MemorySegment.copy(live, page * PAGE, copy, page * PAGE, PAGE);
            }
        }
    }

    private static long differing(MemorySegment live, MemorySegment copy) {
        long count = 0;
        for (long at = 0; at < live.byteSize(); at += PAGE) {
            if (live.asSlice(at, PAGE).mismatch(copy.asSlice(at, PAGE)) != -1) {
                count++;
            }
        }
        return count;
    }

    private static UserfaultTracker whole(MemorySegment live) {
        return UserfaultTracker.ofSelf(
                List.of(new UserfaultTracker.Range(live.address(), live.byteSize(), 0)));
    }

    @Test
    void marksEachRangeAtItsOwnPages() throws IOException {
        try (SharedMemory memory = SharedMemory.create("test", 8L * PAGE);
                Arena arena = Arena.ofConfined();
                DirtyBitmap dirty = new DirtyBitmap(100)) {
            MemorySegment low = memory.map(0, 4L * PAGE, arena);
            MemorySegment high = memory.map(4L * PAGE, 4L * PAGE, arena);
            try (UserfaultTracker tracker = UserfaultTracker.ofSelf(List.of(
                    new UserfaultTracker.Range(low.address(), low.byteSize(), 10),
                    new UserfaultTracker.Range(high.address(), high.byteSize(), 90)))) {
                tracker.start();
                tracker.harvest(dirty);
                assertEquals(0, dirty.count(), "start has armed every page");
                low.set(JAVA_LONG, PAGE, 1L);
                high.set(JAVA_LONG, 3L * PAGE, 1L);
                dirty.mark(50);
                tracker.harvest(dirty);
                assertTrue(dirty.isMarked(11) && dirty.isMarked(93) && dirty.isMarked(50));
                assertEquals(3, dirty.count());
                assertThrows(IllegalStateException.class, tracker::start);
            }
        }
    }

    @Test
    void unmappedRangeMarksEverything() throws IOException {
        try (SharedMemory memory = SharedMemory.create("test", 8L * PAGE);
                DirtyBitmap dirty = new DirtyBitmap(8)) {
            Arena arena = Arena.ofConfined();
            MemorySegment live = memory.map(0, memory.size(), arena);
            try (UserfaultTracker tracker = whole(live)) {
                tracker.start();
                live.set(JAVA_LONG, 0, 1L);
                arena.close();
                assertThrows(TrackerException.class, () -> tracker.harvest(dirty));
                assertEquals(8, dirty.count());
                assertEquals(1, tracker.failures());
            }
        }
    }

    @Test
    void failedStartLeavesNothingArmed() throws IOException {
        try (SharedMemory memory = SharedMemory.create("test", 8L * PAGE);
                Arena arena = Arena.ofConfined();
                PagemapScan scan = PagemapScan.ofSelf()) {
            MemorySegment live = memory.map(0, memory.size(), arena);
            long start = live.address();
            try (UserfaultTracker tracker = UserfaultTracker.ofSelf(List.of(
                    new UserfaultTracker.Range(start, live.byteSize(), 0),
                    new UserfaultTracker.Range(PAGE, PAGE, 8)))) {
                assertThrows(TrackerException.class, tracker::start);
                assertFalse(scan.isWatched(start, start + live.byteSize()));
            }
        }
    }

    @Test
    void closeEndsTrackingThoughAnotherHoldsTheDescriptor() throws IOException {
        try (SharedMemory memory = SharedMemory.create("test", 8L * PAGE);
                Arena arena = Arena.ofConfined();
                PagemapScan scan = PagemapScan.ofSelf()) {
            MemorySegment live = memory.map(0, memory.size(), arena);
            long start = live.address();
            long end = start + live.byteSize();
            int[] copy = {-1};
            long self = ProcessHandle.current().pid();
            UserfaultTracker tracker = UserfaultTracker.ofProcess(self, () -> {
                int fd = (int) Native.call(Native.Call.USERFAULTFD, Native.O_CLOEXEC);
                copy[0] = Processes.takeDescriptor(self, fd);
                return fd;
            }, List.of(new UserfaultTracker.Range(start, live.byteSize(), 0)));
            try {
                tracker.start();
                assertTrue(scan.isWatched(start, end));
                tracker.close();
                tracker.close();
                assertFalse(scan.isWatched(start, end));
            } finally {
                tracker.close();
                Processes.closeDescriptor(copy[0]);
            }
        }
    }

    @Test
    void lookingDoesNotForget() throws IOException {
        try (SharedMemory memory = SharedMemory.create("test", 8L * PAGE);
                Arena arena = Arena.ofConfined();
                Userfault userfault = Userfault.open();
                PagemapScan scan = PagemapScan.ofSelf()) {
            MemorySegment live = memory.map(0, memory.size(), arena);
            long start = live.address();
            long end = start + live.byteSize();
            userfault.register(start, live.byteSize());
            assertEquals(8, scan.harvest(start, end, (from, to) -> { }));
            live.set(JAVA_LONG, 0, 1L);
            assertEquals(1, scan.writtenWithoutClearing(start, end, (from, to) -> { }));
            assertEquals(1, scan.harvest(start, end, (from, to) -> { }));
            assertEquals(0, scan.writtenWithoutClearing(start, end, (from, to) -> { }));
            userfault.unregister(start, live.byteSize());
            assertThrows(LinuxException.class,
                    () -> scan.harvest(start, end, (from, to) -> { }));
        }
    }
}
