package io.pageferry.agent.guest.qemu.firmware;

import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.check.RamBlock;
import io.pageferry.agent.guest.qemu.memory.BackendPlaces;
import io.pageferry.agent.guest.qemu.memory.BlockMappings;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.host.linux.process.ProcessMemory;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.migration.GuestException;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What QEMU's own migration would move beside the RAM of backends: video memory, the firmware and
 * its shadow, the tables that it gives to the guest. It is read from QEMU's memory and becomes part
 * of the device state.
 *
 * <p>QEMU says where such a block is from 8.0 on. Of an older one it is found by its size: each
 * block is a mapping of its own, begins at a multiple of 2 MiB and has a page behind it that cannot
 * be reached (util/mmap-alloc.c). Of several of one size the guest may see one, or one may be the
 * ROM of a device, which has a signature. Where that does not tell which is which, they are not
 * moved: both sides have to hold the same, whatever the order, as they do for the same firmware.
 */
public final class FirmwareBlocks {
    private static final String EQUAL = "ram.equal.";
    /** 55 aa: PCI Firmware Specification, "PCI Expansion ROM Header Format". */
    private static final short ROM_SIGNATURE = (short) 0xaa55;
    private static final int RUN_BYTES = PagedMemory.RUN_PAGES * PageGeometry.PAGE_SIZE;
    private static final String NEWER = "use QEMU 8.0 or newer, which says where its memory is; or"
            + " keep the RAM in shared memory: -object memory-backend-file,share=on,…";

    private final long pid;
    private final List<Located> located = new ArrayList<>();
    /** Blocks of one size, and where they are, in no order. */
    private final Map<Long, Group> groups = new TreeMap<>();

    /** What the blocks of the groups held when {@link #attributes} read them, by size. */
    private final Map<Long, List<MemorySegment>> kept = new TreeMap<>();

    private record Located(String name, long length, long address) { }

    private record Group(List<RamBlock> blocks, List<Long> places) {
        void addAll(Group other) {
            blocks.addAll(other.blocks);
            places.addAll(other.places);
        }

        String names() {
            return blocks.stream().map(RamBlock::name).collect(Collectors.joining(", "));
        }
    }

    private FirmwareBlocks(long pid) {
        this.pid = pid;
    }

    /**
     * Finds the blocks.
     *
     * @param pid      QEMU's
     * @param qemu     its monitor; nothing is changed by it
     * @param backends whose memory is none of them
     * @param taken    where that begins
     * @return the blocks
     * @throws GuestException where one is not found
     * @throws QmpException   when the monitor is gone
     */
    public static FirmwareBlocks find(long pid, QemuControl qemu,
            List<QemuFacts.Backend> backends, Collection<Long> taken)
            throws GuestException, QmpException {
        FirmwareBlocks found = new FirmwareBlocks(pid);
        List<RamBlock> unplaced = new ArrayList<>();
        for (RamBlock block : RamBlock.of(qemu)) {
            if (backends.stream().anyMatch(one -> block.isOf(one.id()))) {
                continue;
            }
            if (block.host() != 0) {
                found.located.add(new Located(block.name(), block.used(), block.host()));
            } else {
                unplaced.add(block);
            }
        }
        if (!unplaced.isEmpty()) {
            found.place(unplaced, BackendPlaces.ofFirmware(qemu), taken);
        }
        return found;
    }

    private void place(List<RamBlock> blocks, Map<String, Long> shown, Collection<Long> taken)
            throws GuestException {
        Map<Long, List<Long>> places = places(taken);
        Map<Long, List<RamBlock>> bySize = blocks.stream().collect(Collectors.groupingBy(
                block -> pageBytes(block.total()), TreeMap::new, Collectors.toList()));
        for (Map.Entry<Long, List<RamBlock>> one : bySize.entrySet()) {
            List<RamBlock> left = new ArrayList<>(one.getValue());
            List<Long> free = new ArrayList<>(places.getOrDefault(one.getKey(), List.of()));
            if (left.size() > free.size()) {
                left.removeIf(block -> isOfADevice(block, blocks, shown, places));
            }
            if (left.size() > 1) {
                left.removeIf(block -> isShown(block, blocks, shown, free));
            }
            if (left.size() != free.size()) {
                Group group = new Group(left, free);
                throw new GuestException(ErrorCode.HOST_FAILED, "QEMU (pid " + pid + ") has "
                        + free.size() + " mappings of " + one.getKey() + " bytes where it has "
                        + left.size() + " blocks of memory: " + group.names(), NEWER);
            }
            for (Group group : bySignature(new Group(left, free))) {
                if (group.blocks().size() == 1) {
                    locate(group.blocks().getFirst(), group.places().getFirst());
                } else if (!group.blocks().isEmpty()) {
                    groups.computeIfAbsent(one.getKey(), any -> new Group(new ArrayList<>(),
                            new ArrayList<>())).addAll(group);
                }
            }
        }
    }

    /** Tells ROMs of PCI devices from tables of the firmware: they begin with a signature. */
    private List<Group> bySignature(Group all) throws GuestException {
        Map<Boolean, List<RamBlock>> blocks = all.blocks().stream().collect(
                Collectors.partitioningBy(block -> block.name().endsWith(".rom")));
        Map<Boolean, List<Long>> places;
        try (ProcessMemory memory = ProcessMemory.open(pid, false)) {
            places = bySignature(memory, all.places());
        } catch (IOException e) {
            throw failed(e);
        }
        return blocks.get(true).size() != places.get(true).size() ? List.of(all)
                : List.of(new Group(blocks.get(true), places.get(true)),
                        new Group(blocks.get(false), places.get(false)));
    }

    private static Map<Boolean, List<Long>> bySignature(ProcessMemory memory, List<Long> all)
            throws IOException {
        Map<Boolean, List<Long>> places =
                new TreeMap<>(Map.of(true, new ArrayList<>(), false, new ArrayList<>()));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocate(Short.BYTES);
            for (long place : all) {
                memory.read(place, word, 0, Short.BYTES);
                places.get(word.get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(
                        ByteOrder.LITTLE_ENDIAN), 0) == ROM_SIGNATURE).add(place);
            }
        }
        return places;
    }

    /** Whether the guest sees it now: then QEMU has said where it is. */
    private boolean isShown(RamBlock block, List<RamBlock> all, Map<String, Long> shown,
            List<Long> free) {
        Optional<Long> place = shown(block, all, shown);
        if (place.isEmpty() || !free.remove(place.get())) {
            return false;
        }
        locate(block, place.get());
        return true;
    }

    /** Whether the guest sees it in memory that a device allocated, as that of a TPM (tpm-ppi). */
    private boolean isOfADevice(RamBlock block, List<RamBlock> all, Map<String, Long> shown,
            Map<Long, List<Long>> places) {
        Optional<Long> place = shown(block, all, shown).filter(address ->
                places.values().stream().noneMatch(some -> some.contains(address)));
        place.ifPresent(address -> locate(block, address));
        return place.isPresent();
    }

    /** Where QEMU says that the guest sees it, under a name that no other block has. */
    private static Optional<Long> shown(RamBlock block, List<RamBlock> all,
            Map<String, Long> shown) {
        String last = block.name().substring(block.name().lastIndexOf('/') + 1);
        boolean alone = all.stream().filter(one -> one.name().equals(last)
                || one.name().endsWith("/" + last)).count() == 1;
        return alone ? Optional.ofNullable(shown.get(last)) : Optional.empty();
    }

    private void locate(RamBlock block, long place) {
        located.add(new Located(block.name(), block.used(), place));
    }

    private static long pageBytes(long bytes) {
        return PageGeometry.bytesOf(PageGeometry.pagesFor(bytes));
    }

    private Map<Long, List<Long>> places(Collection<Long> taken) throws GuestException {
        try {
            Map<Long, List<Long>> places = BlockMappings.of(pid);
            places.values().forEach(same -> same.removeAll(taken));
            return places;
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private GuestException failed(IOException e) {
        return new GuestException(ErrorCode.HOST_FAILED, "cannot look into QEMU (pid " + pid
                + "): " + e.getMessage(), "run as root or as QEMU's user with CAP_SYS_PTRACE");
    }

    /** {@return whether all of them can be moved} */
    public boolean areAllLocated() {
        return groups.isEmpty();
    }

    /**
     * Returns what the other side compares with its own, and keeps a copy for {@link #write}.
     *
     * @return for blocks of one size a digest of what they hold, by that size
     * @throws GuestException when they cannot be read
     */
    public Map<String, String> attributes() throws GuestException {
        Map<String, String> attributes = new TreeMap<>();
        try (ProcessMemory memory = ProcessMemory.open(pid, false)) {
            for (Map.Entry<Long, Group> one : groups.entrySet()) {
                List<MemorySegment> held = new ArrayList<>();
                for (long place : one.getValue().places()) {
                    held.add(read(memory, place, one.getKey(), Arena.ofAuto()));
                }
                kept.put(one.getKey(), held);
                attributes.put(EQUAL + one.getKey(), digest(held));
            }
        } catch (IOException e) {
            throw failed(e);
        }
        return attributes;
    }

    /**
     * Returns whether a source has firmware that it cannot move.
     *
     * @param theirs the source's attributes
     * @return whether {@link #requireFits} has something to compare
     */
    public static boolean areNamed(Map<String, String> theirs) {
        return theirs.keySet().stream().anyMatch(key -> key.startsWith(EQUAL));
    }

    /**
     * Refuses a source whose firmware cannot be moved and is another one.
     *
     * @param theirs the source's attributes; nothing in it is trusted
     * @throws GuestException when that is so
     */
    public void requireFits(Map<String, String> theirs) throws GuestException {
        Map<String, String> ours = attributes();
        for (Map.Entry<String, String> one : theirs.entrySet()) {
            if (one.getKey().startsWith(EQUAL)
                    && !one.getValue().equals(ours.get(one.getKey()))) {
                String size = one.getKey().substring(EQUAL.length());
                String names = size.matches("\\d{1,18}") ? Optional.ofNullable(
                        groups.get(Long.parseLong(size))).map(Group::names).orElse(size) : size;
                throw new GuestException(ErrorCode.GUEST_MISMATCH, "the firmware of " + names
                        + " is another one at the source, and cannot be moved",
                        "use the same QEMU with the same firmware files on both sides, or "
                        + NEWER);
            }
        }
    }

    /**
     * Does so where the monitor cannot be asked which blocks there are: those of one size have to
     * be the source's, all of them, or those that are ROMs of devices, or those that are not.
     *
     * @param pid    QEMU's
     * @param theirs the source's attributes; nothing in it is trusted
     * @throws GuestException when the firmware is another one
     */
    public static void requireHere(long pid, Map<String, String> theirs) throws GuestException {
        FirmwareBlocks here = new FirmwareBlocks(pid);
        Map<Long, List<Long>> places = here.places(List.of());
        for (Map.Entry<String, String> one : theirs.entrySet()) {
            if (!one.getKey().startsWith(EQUAL)) {
                continue;
            }
            String size = one.getKey().substring(EQUAL.length());
            List<Long> same = size.matches("\\d{1,18}")
                    ? places.getOrDefault(Long.parseLong(size), List.of()) : List.of();
            if (!here.hold(one.getValue(), same, size)) {
                throw new GuestException(ErrorCode.GUEST_MISMATCH, "the firmware of " + size
                        + " bytes is another one at the source, and cannot be moved",
                        "use the same QEMU with the same firmware files on both sides");
            }
        }
    }

    private boolean hold(String digest, List<Long> places, String size) throws GuestException {
        if (places.isEmpty()) {
            return false;
        }
        try (ProcessMemory memory = ProcessMemory.open(pid, false)) {
            Map<Boolean, List<Long>> bySignature = bySignature(memory, places);
            for (List<Long> some : List.of(places, bySignature.get(true),
                    bySignature.get(false))) {
                List<MemorySegment> held = new ArrayList<>();
                for (long place : some) {
                    held.add(read(memory, place, Long.parseLong(size), Arena.ofAuto()));
                }
                if (digest.equals(digest(held))) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private static MemorySegment read(ProcessMemory memory, long place, long size, Arena arena)
            throws IOException {
        MemorySegment held = arena.allocate(size);
        for (long at = 0; at < size; at += RUN_BYTES) {
            memory.read(place + at, held, at, (int) Math.min(RUN_BYTES, size - at));
        }
        return held;
    }

    private static String digest(List<MemorySegment> held) {
        List<String> each = new ArrayList<>();
        for (MemorySegment one : held) {
            MessageDigest digest = sha256();
            digest.update(one.asByteBuffer());
            each.add(HexFormat.of().formatHex(digest.digest()));
        }
        each.sort(null);
        MessageDigest all = sha256();
        each.forEach(one -> all.update(HexFormat.of().parseHex(one)));
        return HexFormat.of().formatHex(all.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /**
     * Writes what the blocks hold, of a guest that stands still.
     *
     * @param out receives a section of QEMU's stream; not closed here
     * @throws IOException when they cannot be read, or what cannot be moved is not as it was when
     *                     {@link #attributes} was called
     */
    public void write(DataOutputStream out) throws IOException {
        try (ProcessMemory memory = ProcessMemory.open(pid, false);
                Arena arena = Arena.ofConfined()) {
            requireAsKept(memory, arena);
            MemorySegment run = arena.allocate(RUN_BYTES);
            RamSection section = new RamSection(out);
            section.begin(located.stream().map(Located::name).toList(),
                    located.stream().map(Located::length).toList());
            for (Located block : located) {
                for (long at = 0; at < block.length(); at += RUN_BYTES) {
                    int length = (int) Math.min(RUN_BYTES, block.length() - at);
                    memory.read(block.address() + at, run, 0, length);
                    section.pages(block.name(), at, run, length / PageGeometry.PAGE_SIZE);
                }
            }
            section.end();
        }
    }

    /** Compared and not summed up: a digest of what most machines have here takes 5 ms. */
    private void requireAsKept(ProcessMemory memory, Arena arena) throws IOException {
        for (Map.Entry<Long, Group> one : groups.entrySet()) {
            List<MemorySegment> before = kept.get(one.getKey());
            for (int i = 0; i < before.size(); i++) {
                MemorySegment now = read(memory, one.getValue().places().get(i), one.getKey(),
                        arena);
                if (now.mismatch(before.get(i)) >= 0) {
                    throw new IOException("the firmware of QEMU (pid " + pid
                            + ") changed while the guest moved: move it again");
                }
            }
        }
    }
}
