package io.pageferry.agent.host.linux.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.block.BlockDevice;
import io.pageferry.agent.host.linux.block.DeviceNumber;
import io.pageferry.agent.host.linux.bpf.MarkingCode.Event;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The program that marks, on requests made here, beside plain arithmetic. */
class MarkingCodeTest {
    private static final int MAP_FD = 7;
    private static final int CONTEXT = 64;
    private static final int REQUEST = 128;
    private static final int QUEUE = 256;
    private static final int DISK = 320;
    private static final int FRAME = 1024;
    private static final int BIOS = 1024;
    private static final int BIO_BYTES = 64;
    private static final int MAP = 64 << 10;
    private static final int WRITE = 1;
    private static final int DISCARD = 3;
    private static final int MIB_SECTORS = 2048;
    private static final RequestLayout LAYOUT = new RequestLayout(1, 2, 3,
            new RequestLayout.Request(24, 48, 64, 0, 56), new RequestLayout.Bio(0, 32, 40),
            new RequestLayout.Disk(8, 0, 4));
    private static final DeviceNumber NUMBER = new DeviceNumber(8, 16);

    /** A part of a request, in sectors and bytes. */
    private record Part(long sector, long bytes) { }

    /** What was marked of a device. */
    private record Marks(BitSet pages, BitSet coarse, boolean all, int steps) { }

    private static BlockDevice device(long firstSector, long sectors) {
        return new BlockDevice(new DeviceNumber(8, 17), "sdb1", NUMBER, firstSector, sectors);
    }

    /** Runs the program for a request, of one part or of bios. */
    private static Marks run(BlockDevice device, int operation, DeviceNumber disk,
            List<Part> bios, Part whole) {
        int words = MarkedPages.lastWord(device.pages()) + 1;
        ByteBuffer memory = ByteBuffer.allocate(MAP + 16 * words).order(ByteOrder.LITTLE_ENDIAN);
        memory.putLong(CONTEXT, REQUEST).putLong(CONTEXT + 8, -5)
                .putLong(CONTEXT + 16, whole.bytes() | 0x7L << 32); // the rest is not its own
        memory.putLong(REQUEST, QUEUE).putInt(REQUEST + 24, operation | 0x8800)
                .putLong(REQUEST + 48, whole.sector()).putInt(REQUEST + 64, (int) whole.bytes())
                .putLong(REQUEST + 56, bios.isEmpty() ? 0 : BIOS);
        memory.putLong(QUEUE + 8, DISK);
        memory.putInt(DISK, disk.major()).putInt(DISK + 4, disk.minor());
        for (int i = 0; i < bios.size(); i++) {
            int at = BIOS + BIO_BYTES * i;
            memory.putLong(at, i + 1 < bios.size() ? at + BIO_BYTES : 0)
                    .putLong(at + 32, bios.get(i).sector())
                    .putInt(at + 40, (int) bios.get(i).bytes());
        }
        int steps = run(device, memory, Event.COMPLETED);
        if (bios.isEmpty()) {
            // Two parts may turn one page over twice.
            assertEquals(words(memory, 0, words), words(memory, words, 2 * words), "turned over");
        }
        run(device, memory, Event.TURNED);
        assertTrue(words(memory, words, 2 * words).isEmpty(), "it began and ended");
        int coarse = MarkedPages.coarseWord(device.pages());
        return new Marks(words(memory, 0, coarse), words(memory, coarse, words - 1),
                memory.getLong(MAP + 8 * (words - 1)) != 0, steps);
    }

    private static int run(BlockDevice device, ByteBuffer memory, Event event) {
        return new BpfMachine(memory, Map.of(MAP_FD, MAP)).run(
                MarkingCode.assemble(LAYOUT, device, MAP_FD, event), CONTEXT, FRAME);
    }

    private static BitSet words(ByteBuffer memory, int from, int to) {
        long[] words = new long[to - from];
        for (int i = 0; i < words.length; i++) {
            words[i] = memory.getLong(MAP + 8 * (from + i));
        }
        return BitSet.valueOf(words);
    }

    private static Marks write(BlockDevice device, long sector, long bytes) {
        return run(device, WRITE, NUMBER, List.of(), new Part(sector, bytes));
    }

    /** What must be marked of it, in pages or, where it is long, in MiB. */
    private static void expect(BlockDevice device, Part part, BitSet pages, BitSet coarse) {
        long from = Math.max(part.sector(), device.firstSector());
        long to = Math.min(part.sector() + (part.bytes() + 511) / 512,
                device.firstSector() + device.sectors());
        if (from >= to) {
            return;
        }
        int first = (int) ((from - device.firstSector()) / 8);
        int last = (int) ((to - 1 - device.firstSector()) / 8);
        if (last - first < MarkingCode.FINE_PAGES) {
            pages.set(first, last + 1);
        } else {
            coarse.set(first / 256, last / 256 + 1);
        }
    }

    @Test
    void marksWhatPlainArithmeticMarks() {
        Random random = new Random(Requirements.seed());
        for (int i = 0; i < 1000; i++) {
            BlockDevice device = device(random.nextInt(3) * 1007L,
                    1 + random.nextInt(random.nextBoolean() ? 70 : 200 * MIB_SECTORS));
            List<Part> bios = new ArrayList<>();
            int count = random.nextInt(4) == 0 ? 1 + random.nextInt(256) : 0;
            for (int k = 0; k < count; k++) {
                bios.add(new Part(sector(random, device), random.nextInt(1 << 17)));
            }
            Part whole = new Part(sector(random, device), random.nextInt(5) == 0
                    ? random.nextLong(1L << 32) : random.nextInt(1 << random.nextInt(2, 26)));
            BitSet pages = new BitSet();
            BitSet coarse = new BitSet();
            (bios.isEmpty() ? List.of(whole) : bios)
                    .forEach(part -> expect(device, part, pages, coarse));

            Marks marks = run(device, bios.isEmpty() ? WRITE : DISCARD, NUMBER, bios, whole);

            String what = device + " " + whole + " " + bios;
            assertEquals(pages, marks.pages(), what);
            assertEquals(coarse, marks.coarse(), what);
            assertTrue(!marks.all(), what);
        }
    }

    private static long sector(Random random, BlockDevice device) {
        return Math.max(0, random.nextLong(device.firstSector() + device.sectors() + 100) - 50);
    }

    @Test
    void reachesFromOneEndOfTheLargestDisksToTheOther() {
        BlockDevice device = device(0, 64L << 10 << 10); // 32 GiB
        assertEquals(BitSet.valueOf(new long[] {1}), write(device, 0, 1).pages());
        BitSet last = write(device, device.sectors() - 1, 512).pages();
        assertEquals(device.pages() - 1, last.nextSetBit(0));
        assertEquals(1, last.cardinality());
        assertEquals(4096, write(device, 0, 0xfffffe00L).coarse().cardinality());
        assertTrue(write(device, 8, 4096).steps() < 120);
    }

    @Test
    void whatIsNotOursOrChangesNothingIsNotMarked() {
        BlockDevice device = device(0, 8000);
        for (int reads : List.of(0, 2, 34)) {
            assertNothing(run(device, reads, NUMBER, List.of(), new Part(0, 4096)));
        }
        assertNothing(run(device, WRITE, new DeviceNumber(8, 0), List.of(), new Part(0, 4096)));
        assertNothing(run(device, WRITE, new DeviceNumber(9, 16), List.of(), new Part(0, 4096)));
        assertNothing(write(device, 8000, 4096));
        assertNothing(write(device, 0, 0));
    }

    private static void assertNothing(Marks marks) {
        assertTrue(marks.pages().isEmpty() && marks.coarse().isEmpty() && !marks.all());
    }

    /** A command handed through to the disk (35), a zone that is reset (15): nobody knows where. */
    @Test
    void whatIsNotKnownHereMayHaveChangedEverything() {
        for (int unknown : List.of(11, 15, 35)) {
            assertTrue(run(device(0, 8000), unknown, NUMBER, List.of(), new Part(-1, 512)).all());
        }
    }

    /** More than the kernel puts into one request. */
    @Test
    void moreStepsThanAreAllowedMayHaveChangedEverything() {
        List<Part> bios = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            bios.add(new Part(8L * i, 512));
        }
        assertTrue(run(device(0, 8000), DISCARD, NUMBER, bios, new Part(0, 512)).all());
    }
}
