package io.pageferry.agent.guest.disk;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.LoopDevice;
import io.pageferry.agent.e2e.Poll;
import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestKind.Finding;
import io.pageferry.agent.guest.GuestKind.Verdict;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.host.disk.nbd.NbdAddress;
import io.pageferry.agent.host.linux.process.PowerOff;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a disk may be called, and which of them fit into which. */
class DiskKindTest {
    private static final int MIB = 1 << 20;
    private static final DiskKind KIND = new DiskKind();

    @TempDir
    private Path folder;

    private static void assertNoUri(String uri, String why) {
        IllegalArgumentException no = assertThrows(IllegalArgumentException.class,
                () -> DiskUri.parse(GuestUri.parse(uri)));
        assertTrue(no.getMessage().contains(why), no.getMessage());
    }

    @Test
    void namesDisksByTheirPaths() {
        assertEquals(new DiskUri(List.of(new DiskPlace(Path.of("/dev/sda"), "raw", null),
                        new DiskPlace(Path.of("/img/b.raw"), "raw", null)), true,
                        SourceDisks.Mode.NONE),
                DiskUri.parse(GuestUri.parse(
                        "disk:/dev/sda,/img/b.raw?format=raw&tracker=none&on-read-error=zero")));
        assertNoUri("disk:", "write disk:/dev/sda");
        assertNoUri("disk:/dev/sda,", "write disk:/dev/sda");
        assertNoUri("disk:/dev/sda,/dev/sda", "each disk once");
        assertNoUri("disk:/dev/sda?format=vpc", "there are raw, qcow2, vmdk, vhdx, vdi");
        assertEquals(SourceDisks.Mode.AUTO, DiskUri.parse(GuestUri.parse("disk:/dev/sda")).mode());
        assertEquals(SourceDisks.Mode.BPF, DiskUri.parse(GuestUri.parse(
                "disk:/dev/sda")).mode(TrackerChoice.BPF));
        assertNoUri("disk:/dev/sda?tracker=scan", "not in this version yet");
        assertNoUri("disk:/dev/sda?tracker=marks", "there are auto, bpf, none");
        assertNoUri("disk:/dev/sda?size=3", "no 'size'");
    }

    @Test
    void namesExportsOfAnNbdServer() {
        String uri = "disk:nbd+unix:///a%20b%2Cc?socket=/run/nbd";
        DiskPlace place = DiskUri.parse(GuestUri.parse(uri)).places().getFirst();
        assertEquals(new NbdAddress("a b,c", Path.of("/run/nbd")), place.export());
        assertEquals(uri, "disk:" + place);
        assertEquals(place, DiskPlace.ofAddress(place.export().toString()));
        assertNoUri("disk:nbd+unix:///a", "names no socket");
        assertNoUri("disk:nbd+unix:///a?socket=nbd", "absolute path");
        assertNoUri("disk:nbd://host/a?socket=/run/nbd", "write disk:nbd+unix:///EXPORT");
        assertNoUri("disk:/dev/sda?socket=/run/nbd", "socket of an NBD server");
    }

    /** Who writes to a raw disk decides what it looks like. */
    @Test
    void whatLooksLikeAnImageIsAskedAbout() throws IOException {
        Path file = LoopDevice.file(folder.resolve("disk"), MIB, 0);
        try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
            disk.writeInt(0x514649fb);
        }
        GuestUri uri = GuestUri.parse("disk:" + file);
        GuestException no = assertThrows(GuestException.class,
                () -> KIND.openSource(uri, setup(TrackerChoice.AUTO, false)));
        assertTrue(no.getMessage().contains("looks like a qcow2 image"), no.getMessage());
        assertEquals("say which it is: ?format=qcow2 or ?format=raw", no.remedy());
        assertThrows(GuestException.class,
                () -> KIND.openTarget(uri, setup(TrackerChoice.AUTO, false)));
        KIND.openSource(GuestUri.parse("disk:" + file + "?format=raw"),
                setup(TrackerChoice.AUTO, false)).close();
        try (LoopDevice loop = LoopDevice.over(file)) {
            KIND.openSource(GuestUri.parse("disk:" + loop), setup(TrackerChoice.AUTO, false))
                    .close();
        }
    }

    @Test
    void isMovedWhileNobodyWrites() throws IOException {
        Path file = LoopDevice.file(folder.resolve("disk"), MIB, 0);
        GuestUri uri = GuestUri.parse("disk:" + file);
        IllegalArgumentException no = assertThrows(IllegalArgumentException.class,
                () -> KIND.openSource(uri, setup(TrackerChoice.SCAN, false)));
        assertTrue(no.getMessage().contains("--tracker scan"), no.getMessage());
        GuestException still = assertThrows(GuestException.class,
                () -> KIND.openSource(uri, setup(TrackerChoice.BPF, false)));
        assertTrue(still.getMessage().contains("nothing on " + file), still.getMessage());
        assertThrows(IllegalArgumentException.class,
                () -> KIND.openTarget(uri, setup(TrackerChoice.AUTO, true)));
    }

    /** Nothing of a machine stands still for a disk that nobody has mounted. */
    @Test
    void noMachineIsPoweredOffForADiskThatIsNotMounted() throws IOException {
        GuestUri uri = GuestUri.parse("disk:" + LoopDevice.file(folder.resolve("disk"), MIB, 0));
        GuestException no = assertThrows(GuestException.class, () -> KIND.openSource(uri,
                new GuestSetup(TrackerChoice.AUTO, false, null, After.POWEROFF)));
        assertTrue(no.getMessage().contains("is mounted here"), no.getMessage());
        KIND.openSource(uri, setup(TrackerChoice.AUTO, false)).close();
    }

    /** By a guard, or by settle: after a boot the machine runs because somebody wants it to. */
    @Test
    void whoFinishesAMovePowersOffInTheBootOfTheMoveAlone() throws Exception {
        Path file = LoopDevice.file(folder.resolve("disk"), MIB, 0);
        Path trigger = Files.createFile(folder.resolve("trigger"));
        DiskEnd end = new DiskEnd(After.POWEROFF, new PowerOff(trigger, 0));
        try (LoopDevice loop = LoopDevice.over(file)) {
            DiskPlace place = DiskPlace.ofAddress(loop.toString());
            new DiskHandle(List.of(place), List.of("disk:another-boot:7:0:1"), false, true, end)
                    .end();
            assertEquals("", Files.readString(trigger));
            new DiskHandle(List.of(place), List.of(place.identity()), false, true,
                    new DiskEnd(After.KEEP, end.power())).end();
            new DiskHandle(List.of(place), List.of(place.identity()), false, true, end).end();
            Poll.until(() -> Files.readString(trigger).equals("o\n"), () -> "it goes on");
        }
    }

    private static GuestSetup setup(TrackerChoice tracker, boolean prealloc) {
        return new GuestSetup(tracker, prealloc, null);
    }

    @Test
    void checkSaysWhatADiskCanBe() throws IOException {
        Path file = LoopDevice.file(folder.resolve("disk"), MIB + 7, 0);
        Finding whole = KIND.inspect(GuestUri.parse("disk:" + file)).getFirst();
        assertEquals(Verdict.OK, whole.verdict());
        assertTrue(whole.found().contains("a file of 1048583 bytes"), whole.found());
        assertTrue(whole.found().endsWith("source and target"), whole.found());
        Finding none = KIND.inspect(GuestUri.parse("disk:" + folder)).getFirst();
        assertEquals(Verdict.REFUSED, none.verdict());
    }

    private static GuestDescription disks(int sector, Region.Kind kind, long... sizes) {
        List<Region> regions = new ArrayList<>();
        Arrays.stream(sizes).forEach(size -> regions.add(new Region(regions.size(), kind,
                "d" + regions.size(), 0, size, 4096)));
        return new GuestDescription(kind == Region.Kind.DISK ? "disk" : "workload", "d",
                new RegionTable(regions), 0, Map.of(DiskGuest.SECTOR + 0,
                Integer.toString(sector), DiskGuest.SECTOR + 1, Integer.toString(sector)));
    }

    private static void assertRefused(TargetGuest target, GuestDescription offered,
            ErrorCode code, String why, String remedy) {
        GuestException no = assertThrows(GuestException.class,
                () -> target.requireFits(offered));
        assertEquals(code, no.code());
        assertTrue(no.getMessage().contains(why), no.getMessage());
        assertTrue(no.remedy().contains(remedy), no.remedy());
    }

    @Test
    void aDiskFitsIntoOneOfItsSizeOrMore() throws IOException {
        Path file = LoopDevice.file(folder.resolve("disk"), MIB, 0);
        try (TargetGuest target = KIND.openTarget(GuestUri.parse("disk:" + file),
                setup(TrackerChoice.AUTO, false))) {
            assertDoesNotThrow(() -> target.requireFits(disks(512, Region.Kind.DISK, MIB)));
            assertDoesNotThrow(() -> target.requireFits(disks(4096, Region.Kind.DISK, MIB - 7)));
            assertRefused(target, disks(512, Region.Kind.DISK, MIB + 1), ErrorCode.NO_ROOM,
                    "1 more", "truncate -s 1048577 " + file);
            assertRefused(target, disks(512, Region.Kind.DISK, MIB, MIB),
                    ErrorCode.GUEST_MISMATCH, "moves 2 disks", "as many");
            assertRefused(target, disks(512, Region.Kind.RAM, MIB), ErrorCode.GUEST_MISMATCH,
                    "a workload guest cannot become a disk", "image:");
        }
        assertEquals(MIB, Files.size(file));
    }

    @Test
    void aDeviceOfLargerSectorsIsNoPlaceForADisk() throws IOException {
        Path file = LoopDevice.file(folder.resolve("disk"), MIB, 0);
        try (LoopDevice loop = LoopDevice.over(file, "--sector-size", "4096");
                TargetGuest target = KIND.openTarget(GuestUri.parse("disk:" + loop),
                        setup(TrackerChoice.AUTO, false))) {
            assertDoesNotThrow(() -> target.requireFits(disks(4096, Region.Kind.DISK, MIB)));
            assertRefused(target, disks(512, Region.Kind.DISK, MIB), ErrorCode.GUEST_MISMATCH,
                    "sectors of 4096 bytes, and the source's of 512", "sectors of 512");
        }
        try (LoopDevice loop = LoopDevice.over(file);
                TargetGuest target = KIND.openTarget(GuestUri.parse("disk:" + loop),
                        setup(TrackerChoice.AUTO, false))) {
            assertRefused(target, disks(512, Region.Kind.DISK, MIB - 7),
                    ErrorCode.GUEST_MISMATCH, "fill no sector", "truncate -s %512");
        }
    }
}
