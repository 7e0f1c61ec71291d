package io.pageferry.agent.host.disk.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.DiskContent;
import io.pageferry.agent.host.disk.Disk;
import io.pageferry.agent.host.disk.DiskOpening;
import io.pageferry.agent.host.disk.DiskPages;
import io.pageferry.agent.host.disk.DiskSet;
import io.pageferry.agent.host.disk.DiskStore;
import io.pageferry.agent.host.disk.ReadErrors;
import io.pageferry.agent.host.linux.block.LoopDisk;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Images of each format, copied into each by the two ports of the engine.
 *
 * <p>Some pairs here, drawn by the seed; all by {@code -Dpageferry.full=true}.
 */
class ImageDiskTest {
    private static final int MIB = 1 << 20;
    private static final int DISK = 16 * MIB;
    private static final String RAW = "raw";
    private static final List<String> FORMATS = List.of(RAW, "qcow2", "vmdk", "vhdx", "vdi");
    private static final int PAIRS = Boolean.getBoolean("pageferry.full") ? 25 : 5;

    @TempDir
    private Path folder;

    private record Pair(String from, String to) {
        boolean has(String format) {
            return from.equals(format) || to.equals(format);
        }
    }

    @BeforeEach
    void needsQemu() {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/qemu-nbd")),
                "no qemu-nbd: apt install qemu-utils");
    }

    private Path raw() throws IOException {
        return DiskContent.sparse(folder.resolve("disk"), DISK, 3 * MIB, 11 * MIB + 5);
    }

    private Path image(Path raw, String format) throws IOException {
        return DiskContent.image(raw, folder.resolve("source." + format), format);
    }

    private static ImageFormat format(String label) {
        return ImageFormat.valueOf(label.toUpperCase(Locale.ROOT));
    }

    private static Disk source(Path path, String format) throws GuestException {
        return format.equals(RAW) ? DiskOpening.source(path)
                : ImageDisk.source(path, format(format));
    }

    private Disk target(Path path, String format) throws IOException {
        return NewDisk.of(path, format.equals(RAW) ? Optional.empty()
                : Optional.of(format(format)));
    }

    @Test
    void anImageOfEachFormatIsCopiedIntoOneOfEach() throws IOException {
        Path raw = raw();
        List<Pair> pairs = new ArrayList<>(FORMATS.stream().flatMap(from -> FORMATS.stream()
                .map(to -> new Pair(from, to))).toList());
        long seed = Long.getLong("pageferry.test.seed", System.nanoTime());
        System.out.println("-Dpageferry.test.seed=" + seed);
        Collections.shuffle(pairs, new Random(seed));
        for (Pair pair : pairs.subList(0, PAIRS)) {
            Path from = image(raw, pair.from());
            Path to = folder.resolve("target." + pair.to());
            try (Disk source = source(from, pair.from()); Disk target = target(to, pair.to())) {
                target.use(source.size());
                copy(source, target);
            }
            assertEquals("Images are identical.", DiskContent.compare(from, pair.from(), to,
                    pair.to()), pair::toString);
            // A block of a small vhdx, where all is data that shares it with data, is half a disk.
            assertTrue(pair.has("vhdx") || stored(to) < DISK * 3 / 4,
                    () -> pair + ": holes were filled");
            assertNothingLeft();
            Files.delete(from);
            Files.delete(to);
        }
    }

    private static long stored(Path file) throws IOException {
        return Long.parseLong(LoopDisk.run("stat", "-c", "%b", file.toString()).strip()) * 512;
    }

    /** As the engine does it: what is a hole is not asked for, what was put is read back. */
    private static void copy(Disk from, Disk to) throws IOException {
        DiskSet source = DiskSet.of(List.of(from));
        try (DiskPages pages = new DiskPages(source, ReadErrors.stop());
                DiskStore store = new DiskStore(new DiskSet(List.of(to), source.regions()));
                Arena arena = Arena.ofShared()) {
            long count = source.regions().pageCount();
            MemorySegment page = arena.allocate(PageGeometry.PAGE_SIZE, PageGeometry.PAGE_SIZE);
            MemorySegment back = arena.allocate(PageGeometry.PAGE_SIZE, PageGeometry.PAGE_SIZE);
            long hole = 0;
            for (long at = 0; at < count; at++) {
                if (at >= hole) {
                    long data = pages.nextData(at);
                    if (data > at) {
                        awaitRoom(store);
                        store.clear(at, data - at);
                        at = data - 1;
                        continue;
                    }
                    hole = pages.nextHole(at);
                }
                while (pages.read(at, 1, page, 0) == PagedMemory.NOT_YET) {
                    Thread.onSpinWait();
                }
                awaitRoom(store);
                store.put(at, 1, page, 0);
            }
            while (!store.flush()) {
                Thread.onSpinWait();
            }
            for (long at = 0; at < count; at += 97) {
                while (pages.read(at, 1, page, 0) == PagedMemory.NOT_YET) {
                    Thread.onSpinWait();
                }
                while (store.read(at, 1, back, 0) == PagedMemory.NOT_YET) {
                    Thread.onSpinWait();
                }
                assertEquals(-1, page.mismatch(back), "page " + at);
            }
        }
    }

    private static void awaitRoom(DiskStore store) {
        while (!store.hasRoom()) {
            Thread.onSpinWait();
        }
    }

    /** The programs end with their clients, and their folders go. */
    private static void assertNothingLeft() throws IOException {
        try (DirectoryStream<Path> left = Files.newDirectoryStream(
                Path.of(System.getProperty("java.io.tmpdir")),
                "pageferry-nbd-" + ProcessHandle.current().pid() + "-*")) {
            left.forEach(one -> assertFalse(Files.exists(one), one::toString));
        }
    }

    /** Memory that the kernel gives anew for each request is most of what its server does. */
    @Test
    void itsServerUsesItsMemoryAgain() throws IOException {
        int count = 64;
        Path file = folder.resolve("new.qcow2");
        try (Disk disk = target(file, "qcow2"); Arena arena = Arena.ofShared()) {
            disk.use((long) count * MIB);
            MemorySegment run = arena.allocate(MIB, PageGeometry.PAGE_SIZE).fill((byte) 7);
            for (long i = 0; i < count; i++) {
                disk.write(i * MIB, run, 0, MIB);
            }
            long server = ProcessHandle.allProcesses().filter(one -> one.info().commandLine()
                    .orElse("").contains(file.toString())).findFirst().orElseThrow().pid();
            String stat = Files.readString(Path.of("/proc/" + server + "/stat"));
            long faults = Long.parseLong(stat.substring(stat.lastIndexOf(')')).split(" ")[8]);
            assertTrue(faults < count * MIB / PageGeometry.PAGE_SIZE / 2, faults + " faults");
        }
    }

    private void assertRefused(Path image, String format, String why) {
        GuestException no = assertThrows(GuestException.class,
                () -> ImageDisk.source(image, format(format)).close());
        assertTrue(no.getMessage().contains(why), no.getMessage());
        assertFalse(no.getMessage().contains("\n"), no.getMessage());
    }

    /** Whoever made it could have this host's files read by a program of root's. */
    @Test
    void anImageThatNamesOtherFilesIsNotOpened() throws IOException {
        Path base = raw();
        Path image = folder.resolve("a.qcow2");
        LoopDisk.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", base.toString(), "-F", RAW,
                image.toString());
        assertRefused(image, "qcow2", "has a backing file");
        assertRefused(image, "vdi", "is no vdi image");
        LoopDisk.run("qemu-img", "create", "-q", "-f", "qcow2", "-o", "data_file="
                + folder.resolve("data"), image.toString(), "4M");
        assertRefused(image, "qcow2", "has its data in another file");
        Path flat = folder.resolve("flat.vmdk");
        LoopDisk.run("qemu-img", "create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat",
                flat.toString(), "4M");
        assertRefused(flat, "vmdk", "has its data in other files");
        Path child = folder.resolve("child.vmdk");
        Path parent = image(base, "vmdk");
        LoopDisk.run("qemu-img", "create", "-q", "-f", "vmdk", "-b", parent.toString(), "-F",
                "vmdk", child.toString());
        assertRefused(child, "vmdk", "has a backing file");
        assertRefused(base, "qcow2", "is no qcow2 image");
        assertNothingLeft();
    }

    @Test
    void aDiskIsMadeForTheOneThatComesOrNotAtAll() throws IOException {
        for (String format : List.of(RAW, "qcow2")) {
            Path file = folder.resolve("new." + format);
            assertTrue(NewDisk.isWanted(file));
            try (Disk disk = target(file, format)) {
                assertEquals(0, Files.size(file));
                assertTrue(disk.isHeadBlank());
            }
            assertFalse(Files.exists(file));
            try (Disk disk = target(file, format)) {
                disk.use(MIB);
                assertTrue(disk.discard());
            }
            assertFalse(Files.exists(file), "given up, and still there");
            Files.createFile(file);
            assertTrue(NewDisk.isWanted(file));
            target(file, format).close();
            assertEquals(0, Files.size(file), "it was there before");
            try (Disk disk = target(file, format)) {
                String before = disk.identity();
                disk.use(MIB + 512);
                assertEquals(MIB + 512, disk.size());
                assertEquals(before, disk.identity());
                assertThrows(GuestException.class, () -> target(file, format).close(), "twice");
                assertFalse(disk.discard(), "it was there before");
            }
            assertFalse(NewDisk.isWanted(file));
            try (Disk disk = source(file, format)) {
                assertEquals(MIB + 512, disk.size());
            }
        }
        assertNothingLeft();
    }
}
