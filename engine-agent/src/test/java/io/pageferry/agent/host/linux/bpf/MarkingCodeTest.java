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
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The program that marks, on requests made here, beside plain arithmetic. */
class MarkingCodeTest {
    private static final int MAP_FD = 7;
    private static final int TABLE_FD = 8;
    private static final MarkingCode.Maps MAPS = new MarkingCode.Maps(MAP_FD, TABLE_FD);
    private static final int CONTEXT = 64;
    private static final int REQUEST = 128;
    private static final int QUEUE = 256;
    private static final int DISK = 320;
    private static final int OTHER_REQUEST = 448;
    private static final int FRAME = 1024;
    private static final int BIOS = 1024;
    private static final int BIO_BYTES = 64;
    private static final int MAP = 64 << 10;
    private static final int WRITE = 1;
    private static final int DISCARD = 3;
    private static final int MIB_SECTORS = 2048;
    private static final RequestLayout LAYOUT = new RequestLayout(1, 2,
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

    private final Map<Long, long[]> table = new HashMap<>();

    /** Runs the programs for a request, of one part or of bios, that begins and ends. */
    private Marks run(BlockDevice device, int operation, DeviceNumber disk,
            List<Part> bios, Part whole) {
        int words = MarkedPages.overflowWord(device.pages()) + 1;
        ByteBuffer memory = ByteBuffer.allocate(MAP + 8 * words).order(ByteOrder.LITTLE_ENDIAN);
        request(memory, operation, disk, bios, whole);
        run(device, memory, Event.ISSUED);
        assertTrue(words(memory, 0, words).isEmpty(), "it has not ended");
        List<long[]> entered = List.copyOf(table.values());
        int steps = run(device, memory, Event.COMPLETED);
        assertTrue(table.isEmpty() || (int) whole.bytes() == 0, "it ended");
        table.clear();
        int coarse = MarkedPages.coarseWord(device.pages());
        Marks marks = new Marks(words(memory, 0, coarse), words(memory, coarse, words - 2),
                memory.getLong(MAP + 8 * (words - 2)) != 0, steps);
        assertEquals(0, memory.getLong(MAP + 8 * (words - 1)), "it found room");
        if (!entered.isEmpty()) {
            assertCovers(entered.getFirst(), device, bios.isEmpty() ? List.of(whole) : bios);
        }
        return marks;
    }

    /** Nothing that it changes is outside of what it was entered with. */
    private static void assertCovers(long[] range, BlockDevice device, List<Part> parts) {
        for (Part part : parts) {
            assertTrue(range[0] <= Math.max(part.sector(), 0)
                    && (part.bytes() + 511) / 512 + part.sector() <= range[1],
                    part + " of " + device + " is not in " + Arrays.toString(range));
        }
    }

    private static void request(ByteBuffer memory, int operation, DeviceNumber disk,
            List<Part> bios, Part whole) {
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
    }

    private int run(BlockDevice device, ByteBuffer memory, Event event) {
        return new BpfMachine(memory, Map.of(MAP_FD, MAP), Map.of(TABLE_FD, table)).run(
                MarkingCode.assemble(LAYOUT, device, MAPS, event), CONTEXT, FRAME);
    }

    /**
     * What happens to requests A and B, whose end is seen (e) or not (E), all of which begin (b) at
     * a page of their own, or are put back by the driver and begin again. A request that begins
     * again had ended. One that is flushed (f) behind its end ends once more, of no bytes: so do
     * the writes of a journal.
     */
    @ParameterizedTest
    @CsvSource({
        "Ab5 Ae,                     5", "Ab5 AE,                     5",
        "Ab5 AE Ab6 Ae,              5 6", "Ab5 AE Ab6 AE,              5 6",
        "Ab5 AE Ab5 AE Ab5 AE,       5", "Ab5 Bb5 Ae BE,              5",
        "Ab5 AE Bb5 Be Ab5 Bb5 Ae BE, 5", "Ab5 Bb5 Ae Ab5 Be AE Bb6 Be, 5 6",
        "Ab5 Ab5 Ae,                 5", "Ab5 Ab5 AE,                 5",
        "Ab5 Ae Af Ab6 Ae Af,        5 6", "Ab5 AE Af,                  5",
        "Ab5 AE Af Ab6 Ae Af,        5 6"})
    void anEndThatWasNotSeenIsKnown(String events, String pages) {
        BlockDevice device = device(16, 800);
        int words = MarkedPages.overflowWord(device.pages()) + 1;
        ByteBuffer memory = ByteBuffer.allocate(MAP + 8 * words).order(ByteOrder.LITTLE_ENDIAN);
        request(memory, WRITE, NUMBER, List.of(), new Part(0, 4096));
        Map<Character, Integer> at = new HashMap<>();
        Set<Integer> dirty = new TreeSet<>();
        for (String one : events.split(" ")) {
            char name = one.charAt(0);
            // What is looked at in between is read then, and never again unless it is marked.
            BitSet marked = words(memory, 0, 1);
            memory.putLong(MAP, 0);
            marked.stream().forEach(dirty::remove);
            if (one.charAt(1) == 'b') {
                at.put(name, Integer.parseInt(one.substring(2)));
            }
            int place = name == 'A' ? REQUEST : OTHER_REQUEST;
            memory.put(place, memory, REQUEST, 80).putLong(CONTEXT, place)
                    .putLong(place + 48, 16 + 8L * at.get(name));
            int bytes = one.charAt(1) == 'f' ? 0 : 4096;
            memory.putInt(place + 64, bytes).putLong(CONTEXT + 16, bytes);
            if (bytes == 0) {
                run(device, memory, Event.COMPLETED);
            } else if (one.charAt(1) == 'b') {
                run(device, memory, Event.ISSUED);
            } else {
                dirty.add(at.get(name));
                if (one.charAt(1) == 'e') {
                    run(device, memory, Event.COMPLETED);
                }
            }
        }
        words(memory, 0, 1).stream().forEach(dirty::remove);
        table.values().forEach(range -> dirty.remove((int) (range[0] - 16) / 8));
        assertEquals(Set.of(), dirty, "lost of " + pages);
    }

    private static BitSet words(ByteBuffer memory, int from, int to) {
        long[] words = new long[to - from];
        for (int i = 0; i < words.length; i++) {
            words[i] = memory.getLong(MAP + 8 * (from + i));
        }
        return BitSet.valueOf(words);
    }

    private Marks write(BlockDevice device, long sector, long bytes) {
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

    /** Linux 6.1 takes a loop only where a jump closes it (check_cfg of its verifier). */
    @Test
    void aJumpClosesEveryLoop() {
        for (Event event : Event.values()) {
            byte[] code = MarkingCode.assemble(LAYOUT, device(0, 8000), MAPS, event);
            walk(ByteBuffer.wrap(code).order(ByteOrder.nativeOrder()), 0, new int[code.length / 8]);
        }
    }

    private static void walk(ByteBuffer code, int at, int[] state) {
        int opcode = code.get(at * 8) & 0xff;
        int target = at + 1 + code.getShort(at * 8 + 2);
        boolean jumps = (opcode & 7) == 5 && opcode != 0x85;
        state[at] = 1;
        if (opcode != 0x05 && opcode != 0x95) {
            visit(code, at + 1, state, jumps, at);
        }
        if (jumps && opcode != 0x95) {
            visit(code, target, state, true, at);
        }
        state[at] = 2;
    }

    private static void visit(ByteBuffer code, int to, int[] state, boolean jumps, int from) {
        if (state[to] == 0) {
            walk(code, to, state);
        } else {
            assertTrue(state[to] == 2 || jumps, "back-edge from insn " + from + " to " + to);
        }
    }
}
