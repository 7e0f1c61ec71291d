package io.pageferry.agent.host.linux.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.block.BlockDevice;
import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.DeviceNumber;
import io.pageferry.agent.host.linux.block.LoopDisk;
import io.pageferry.agent.host.linux.bpf.BlockTracker.Tracked;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.TrackerException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlockTrackerTest {
    private static final int PAGE = LoopDisk.PAGE;
    private static final int MIB = 1 << 20;
    private static final int MIB_PAGES = MIB / PAGE;

    @TempDir
    private Path folder;

    @BeforeEach
    void needTracking() {
        Requirements.blockTracking();
    }

    private static BlockTracker track(BlockDevice device) throws IOException {
        BlockTracker tracker = BlockTracker.of(BlockDevices.ofHost(),
                List.of(new Tracked(device, 0)));
        tracker.start();
        return tracker;
    }

    private static void blkdiscard(LoopDisk disk, long offset, long length, String... more)
            throws IOException {
        LoopDisk.run(Stream.concat(Stream.of("blkdiscard",
                "--offset", Long.toString(offset), "--length", Long.toString(length)),
                Stream.concat(Stream.of(more),
                        Stream.of(disk.device()))).toArray(String[]::new));
    }

    @Test
    void storageThatIsGivenBackOrZeroedIsMarked() throws Exception {
        try (LoopDisk disk = LoopDisk.make(64 * MIB); BlockTracker tracker = track(disk.found());
                DirtyBitmap dirty = new DirtyBitmap(disk.found().pages())) {
            blkdiscard(disk, 5 * PAGE, 3 * PAGE);
            tracker.harvest(dirty);
            assertRun(dirty, 5, 3);
            blkdiscard(disk, 9 * PAGE, 70 * PAGE, "--zeroout");
            tracker.harvest(dirty);
            assertRun(dirty, 9, 70);
        }
    }

    /** By the MiB, so at most one too much at each end. */
    @Test
    void muchThatIsGivenBackIsMarkedCoarsely() throws Exception {
        try (LoopDisk disk = LoopDisk.make(600L * MIB); BlockTracker tracker = track(disk.found());
                DirtyBitmap dirty = new DirtyBitmap(disk.found().pages())) {
            blkdiscard(disk, 10 * MIB + PAGE, 400L * MIB);
            tracker.harvest(dirty);
            assertRun(dirty, 10 * MIB_PAGES, 401 * MIB_PAGES);
            blkdiscard(disk, 0, 600L * MIB);
            tracker.harvest(dirty);
            assertEquals(dirty.pages(), dirty.count());
        }
    }

    private static void assertRun(DirtyBitmap dirty, long first, long count) {
        assertEquals(first, dirty.nextMarked(0));
        assertEquals(first + count, dirty.nextUnmarked(first));
        assertEquals(count, dirty.count());
        dirty.clearAll();
    }

    /** Neither what is read nor what is written to other disks. */
    @Test
    void nothingElseIsMarked() throws Exception {
        try (LoopDisk disk = LoopDisk.make(MIB); LoopDisk other = LoopDisk.make(MIB);
                FileChannel mine = LoopDisk.direct(disk.device());
                FileChannel theirs = LoopDisk.direct(other.device());
                BlockTracker tracker = track(disk.found());
                DirtyBitmap dirty = new DirtyBitmap(MIB_PAGES)) {
            ByteBuffer page = LoopDisk.aligned(PAGE);
            mine.read(page, 0);
            theirs.write(page.clear(), 0);
            mine.force(true);
            tracker.harvest(dirty);
            assertTrue(dirty.isEmpty());
            LoopDisk.run("dd", "if=/dev/zero", "of=" + disk.device(), "bs=512", "seek=63",
                    "count=1", "oflag=direct");
            tracker.harvest(dirty);
            assertRun(dirty, 7, 1);
        }
    }

    /** Of a whole disk also what is written to its partitions; of one only what is in it. */
    @Test
    void partitionsArePartsOfTheirDisk() throws Exception {
        try (LoopDisk disk = LoopDisk.make(4 * MIB)) {
            String part = disk.partition(2048 + 8, 1024);
            try (BlockTracker whole = track(disk.found());
                    BlockTracker inside = track(LoopDisk.find(part));
                    FileChannel all = LoopDisk.direct(disk.device());
                    FileChannel some = LoopDisk.direct(part);
                    DirtyBitmap ofAll = new DirtyBitmap(4 * MIB_PAGES);
                    DirtyBitmap ofSome = new DirtyBitmap(128)) {
                some.write(LoopDisk.aligned(PAGE), 3 * PAGE);
                whole.harvest(ofAll);
                inside.harvest(ofSome);
                assertRun(ofAll, 257 + 3, 1);
                assertRun(ofSome, 3, 1);
                all.write(LoopDisk.aligned(PAGE), 0);
                all.write(LoopDisk.aligned(MIB), MIB);
                whole.harvest(ofAll);
                inside.harvest(ofSome);
                assertTrue(ofAll.isMarked(0));
                assertRun(ofSome, 0, 128);
            }
        }
    }

    /**
     * Each page is written once, while marks are taken and pages read all the time: a page that is
     * read before its data was there, and never again, stays wrong.
     */
    @Test
    void noWriteIsLostUnderContinuousHarvests() throws Exception {
        int pages = 24 * MIB_PAGES;
        try (LoopDisk disk = LoopDisk.make((long) pages * PAGE);
                BlockTracker tracker = track(disk.found());
                FileChannel in = LoopDisk.direct(disk.device());
                DirtyBitmap dirty = new DirtyBitmap(pages)) {
            CompletableFuture<Void> writer = CompletableFuture.allOf(
                    writer(disk.device(), 0, pages / 2),
                    writer(disk.device(), pages / 2, pages));
            int[] copy = new int[pages];
            ByteBuffer run = LoopDisk.aligned(MIB);
            long harvests = 0;
            boolean last = false;
            while (!last) {
                last = writer.isDone();
                tracker.harvest(dirty);
                harvests++;
                read(in, dirty, run, copy);
            }
            writer.get();
            tracker.harvestPaused(dirty);
            read(in, dirty, run, copy);
            long lost = 0;
            for (int at = 0; at < pages; at++) {
                lost += copy[at] == at + 1 ? 0 : 1;
            }
            System.out.println(harvests + " harvests, " + lost + " pages of " + pages + " lost");
            assertEquals(0, lost);
            assertEquals(0, tracker.failures());
        }
    }

    /** Reads what is dirty, in long runs: it must be faster than the writers. */
    private static void read(FileChannel in, DirtyBitmap dirty, ByteBuffer run, int[] copy)
            throws IOException {
        long first = dirty.nextMarked(0);
        while (first < copy.length) {
            int count = (int) Math.min(MIB_PAGES, dirty.nextUnmarked(first) - first);
            dirty.clearRange(first, count);
            in.read(run.clear().limit(count * PAGE), first * PAGE);
            for (int i = 0; i < count; i++) {
                copy[(int) first + i] = run.getInt(i * PAGE + PAGE - Integer.BYTES);
            }
            first = dirty.nextMarked(first + count);
        }
    }

    private static CompletableFuture<Void> writer(String device, int first, int end) {
        return CompletableFuture.runAsync(() -> {
            ByteBuffer page = LoopDisk.aligned(PAGE);
            try (FileChannel out = LoopDisk.direct(device)) {
                for (int at = first; at < end; at++) {
                    page.clear().putInt(PAGE - Integer.BYTES, at + 1);
                    out.write(page, (long) at * PAGE);
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }, task -> Thread.ofPlatform().daemon().start(task));
    }

    /** As where the kernel leaves the program out and does not count it. */
    @Test
    void aWriteWhoseEndWasNotSeenIsReportedInThePause() throws Exception {
        try (LoopDisk disk = LoopDisk.make(4 * MIB);
                DirtyBitmap dirty = new DirtyBitmap(4 * MIB_PAGES);
                FileChannel out = LoopDisk.direct(disk.device())) {
            BlockTracker deaf = new BlockTracker(List.of(new Tracked(disk.found(), 0)),
                    BlockTrackerTest::withoutCompletions);
            try (deaf; BlockTracker whole = track(disk.found())) {
                deaf.start();
                out.write(LoopDisk.aligned(3 * PAGE), 5 * PAGE);
                deaf.harvest(dirty);
                assertTrue(dirty.isEmpty());
                deaf.harvestPaused(dirty);
                assertRun(dirty, 5, 3);
                whole.harvest(dirty);
                assertRun(dirty, 5, 3);
                whole.harvestPaused(dirty);
                assertTrue(dirty.isEmpty(), "what ended is reported once");
            }
        }
    }

    private static DiskMarks withoutCompletions(RequestLayout layout, BlockDevice device)
            throws IOException {
        return DiskMarks.begin(layout, device, Set.of(MarkingCode.Event.ISSUED));
    }

    @Test
    void nothingStaysInTheKernel() throws Exception {
        try (LoopDisk disk = LoopDisk.make(MIB)) {
            Set<Integer> before = LoadedPrograms.ids();
            BlockTracker tracker = track(disk.found());
            Set<Integer> ours = LoadedPrograms.ids();
            ours.removeAll(before);
            assertFalse(ours.isEmpty());
            tracker.close();
            // The kernel waits for whoever is in it.
            Stranger.await("the end of the program", () -> {
                try {
                    return LoadedPrograms.ids().stream().noneMatch(ours::contains);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
        }
    }

    /**
     * The kernel leaves a program out that its own tracepoint interrupts. None of ours can be made
     * to, so one that raises its own tracepoint stands in for it.
     */
    @Test
    void whereTheKernelLeftRunsOutEverythingIsDirty() throws Exception {
        int tracepoint = Btf.ofThisKernel().typedef("btf_trace_bpf_trace_printk");
        assertTrue(tracepoint != 0);
        try (LoopDisk disk = LoopDisk.make(MIB); DirtyBitmap dirty = new DirtyBitmap(MIB_PAGES)) {
            BlockDevice device = disk.found();
            BlockTracker tracker = new BlockTracker(List.of(new Tracked(device, 0)),
                    (layout, any) -> new DiskMarks(device,
                            new MarkedPages(device.pages()), new RequestTable(),
                            List.of(BpfProgram.attach(printing(), tracepoint))));
            try (tracker) {
                tracker.start();
                tracker.harvest(dirty);
                assertTrue(dirty.isEmpty());
                // Any request of the host raises it, so it begins here.
                try (BpfProgram _ = BpfProgram.attach(printing(),
                        RequestLayout.of(Btf.ofThisKernel()).completed());
                        FileChannel out = LoopDisk.direct(disk.device())) {
                    out.write(LoopDisk.aligned(PAGE), 0);
                }
                TrackerException e = assertThrows(TrackerException.class,
                        () -> tracker.harvest(dirty));
                assertTrue(e.getMessage().contains("left out"), e.getMessage());
                assertEquals(MIB_PAGES, dirty.count());
                assertEquals(1, tracker.failures());
            }
        }
    }

    private static byte[] printing() {
        return new BpfAssembler().constant(1, 0x0079726566L)
                .storeLong(BpfAssembler.FRAME, -8, 1)
                .aluBy(BpfAssembler.Alu.MOV, 1, BpfAssembler.FRAME)
                .alu(BpfAssembler.Alu.ADD, 1, -8).alu(BpfAssembler.Alu.MOV, 2, 8)
                .call(6).alu(BpfAssembler.Alu.MOV, 0, 0).exit().bytes();
    }

    @Test
    void aDeviceWithoutRequestsIsRefusedWithWhatIsBelowIt() throws Exception {
        Path sys = folder.resolve("sys");
        made(sys, "dm-0", "252:0", "4096");
        Files.createDirectories(sys.resolve("devices/dm-0/slaves/sda2"));
        made(sys, "zram0", "251:0", "4096");
        made(sys, "pmem0", "259:0", "4096");
        Files.createDirectories(sys.resolve("devices/pmem0/queue"));
        Files.writeString(sys.resolve("devices/pmem0/queue/dax"), "1\n");

        assertTrue(refusal(sys, "252:0").contains("move the disks below it, sda2, or compare"));
        assertTrue(refusal(sys, "251:0").contains("no requests of its own: compare contents"));
        assertTrue(refusal(sys, "259:0").contains("DAX"));
        assertTrue(refusal(sys, "8:0").contains("there is no block device 8:0"));
    }

    private static void made(Path sys, String name, String number, String size)
            throws IOException {
        Path device = Files.createDirectories(sys.resolve("devices").resolve(name));
        Files.writeString(device.resolve("dev"), number + "\n");
        Files.writeString(device.resolve("size"), size + "\n");
        Files.createSymbolicLink(Files.createDirectories(sys.resolve("dev/block"))
                .resolve(number), device);
    }

    private static String refusal(Path sys, String number) {
        BlockDevices host = new BlockDevices(sys);
        return assertThrows(IOException.class, () -> BlockTracker.of(host, List.of(
                new Tracked(host.find(DeviceNumber.parse(number)), 0)))).getMessage();
    }

    @Test
    void aRefusalSaysWhy() {
        String verifier = "0: (79) r6 = *(u64 *)(r1 +0)\nR1 type=scalar expected=fp\n"
                + "processed 7 insns (limit 1000000) max_states_per_insn 0\n";
        long all = -1L;
        assertTrue(Bpf.reason(1, all, "none integrity [confidentiality]", "")
                .contains("locked down"));
        assertTrue(Bpf.reason(1, 1L << 38, "none [integrity] confidentiality", "")
                .contains("CAP_BPF and CAP_PERFMON"));
        assertTrue(Bpf.reason(1, 1L << 38 | 1L << 39, "", "").contains("container"));
        assertEquals(": the kernel's verifier says: R1 type=scalar expected=fp",
                Bpf.reason(13, all, "", verifier));
        assertEquals("", Bpf.reason(12, all, "", ""));
    }

    /** As the kernel itself says it. */
    @Test
    void aProgramThatTheKernelRefusesIsTold() throws Exception {
        int tracepoint = RequestLayout.of(Btf.ofThisKernel()).completed();
        IOException e = assertThrows(IOException.class, () -> BpfProgram.attach(
                new BpfAssembler().loadLong(0, 3, 0).exit().bytes(), tracepoint));
        assertTrue(e.getMessage().endsWith("R3 !read_ok"), e.getMessage());
    }
}
