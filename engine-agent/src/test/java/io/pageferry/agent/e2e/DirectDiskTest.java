package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.qemu.check.DiskDrain;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.memory.MemoryTracking;
import io.pageferry.agent.guest.qemu.memory.QemuMemory;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.host.linux.userfault.RemoteUserfault;
import io.pageferry.agent.host.memory.RegionMemory;
import io.pageferry.core.codec.page.ZeroCodec;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.memory.PageGeometry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * A guest that reads a disk with O_DIRECT and native AIO, and never from its cache. The kernel
 * holds each read up, so that what is read lands in pages that were pinned, harvested and sent
 * before.
 *
 * <p>One move here; 20 by {@code mvn verify -pl engine-agent -am -Dtest=DirectDiskTest
 * -Dsurefire.failIfNoSpecifiedTests=false -Dpageferry.full=true}
 */
@Sampled
@Tag("full")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DirectDiskTest {
    private static final int MOVES = Draw.FULL ? 20 : 1;
    private static final int HELD_MILLIS = 200;
    private static final int HARVESTS = 20;
    private static final Pattern PASS = Pattern.compile("disk vda pass=(\\d+) bad=(\\d+)");

    private Rig rig;
    private SlowDisk disk;
    private MovingGuest home;

    @BeforeAll
    void boot(@TempDir Path folder) throws IOException {
        rig = new Rig(folder);
        rig.openToAll();
        DiskGuest guest = DiskGuest.make(folder, "guest-reads.sh");
        disk = SlowDisk.make(folder, Draw.random());
        // A thread of its own serves it: to drain by that node would hang QEMU.
        home = MovingGuest.boot(rig, guest.machine(List.of("-object", "iothread,id=disks",
                "-drive", "file=" + disk.device()
                + ",format=raw,if=none,id=d0,cache=none,aio=native,readonly=on",
                "-device", "virtio-blk-pci,drive=d0,iothread=disks")));
        Poll.until(() -> passes() > 0, () -> "it does not read its disk");
    }

    @AfterAll
    void end() throws IOException {
        if (rig != null) {
            rig.close();
        }
        if (disk != null) {
            disk.close();
        }
    }

    private long passes() throws IOException {
        long passes = 0;
        Matcher line = PASS.matcher(home.console());
        while (line.find()) {
            passes = Long.parseLong(line.group(1));
            assertEquals("0", line.group(2), "wrong bytes were read: " + line.group());
        }
        return passes;
    }

    @Test
    void whatIsUnderWayArrivesToo() throws IOException {
        for (int move = 0; move < MOVES; move++) {
            disk.holdUp(home.qemu().process(), HELD_MILLIS);
            DemoQemu next = rig.waiting(home.machine());
            Agent target = rig.receive(next, "");
            Agent source = rig.migrate(home.qemu(), target, "");
            E2e.assertMoved(source, target);
            JsonNode drain = source.report().path("drain");
            assertTrue(drain.path("count").asLong() >= 2, source::toString);
            // Those that were under way held it up: not one of 20 waits was for nothing.
            assertTrue(drain.path("longestMs").asDouble() > 0, source::toString);
            home.movedTo(next);
            long passes = passes();
            Poll.until(() -> passes() > passes + 1, () -> "it reads no more");
            home.livesOn();
        }
    }

    /** The rule itself, and that a tracker which does not wait is found out. */
    @Test
    void withoutWaitingPagesAreLost() throws IOException, TrackerException {
        disk.holdUp(home.qemu().process(), HELD_MILLIS);
        long lost = 0;
        for (int trial = 0; trial < 5 && lost == 0; trial++) {
            lost = differing(false);
        }
        assertTrue(lost > 0, "nothing was under way");
        assertEquals(0, differing(true));
        disk.holdUp(home.qemu().process(), 0);
    }

    /** Follows the guest into a copy, pauses it, and counts pages that are not as they are. */
    private long differing(boolean waits) throws IOException, TrackerException {
        long pid = home.qemu().process().pid();
        try (QemuControl control = home.qemu().control();
                Arena arena = Arena.ofShared()) {
            QemuMemory memory = QemuMemory.find(pid, control, QemuProbe.read(control).memory());
            RegionMemory regions = memory.map(false);
            MemoryTracking tracking = MemoryTracking.of(pid, new GuestSetup(TrackerChoice.AUTO,
                    false, one -> RemoteUserfault.open(one).release()), memory, regions,
                    Optional.ofNullable(waits ? DiskDrain.open(control) : null));
            assertEquals(waits, tracking.drained().isPresent());
            long pages = regions.regions().pageCount();
            MemorySegment copy = arena.allocate(PageGeometry.bytesOf(pages));
            try (DirtyBitmap dirty = new DirtyBitmap(pages); regions) {
                tracking.tracker().start();
                dirty.markAll();
                for (int i = 0; i < HARVESTS; i++) {
                    copy(regions, dirty, copy);
                    LockSupport.parkNanos(HELD_MILLIS * 500_000L);
                    tracking.tracker().harvest(dirty);
                }
                copy(regions, dirty, copy);
                control.stop();
                tracking.tracker().harvestPaused(dirty);
                copy(regions, dirty, copy);
                return differing(regions, copy, arena.allocate(PageGeometry.PAGE_SIZE));
            } finally {
                tracking.tracker().close();
                assertFalse(control.qmp().execute("query-named-block-nodes").toString()
                        .contains("pageferry-drain"), "its node is left");
                assertTrue(control.cont().running());
            }
        }
    }

    /** Clear, then read. */
    private static void copy(RegionMemory regions, DirtyBitmap dirty, MemorySegment copy) {
        long end = regions.regions().pageCount();
        for (long page = dirty.nextMarked(0); page < end; page = dirty.nextMarked(page + 1)) {
            dirty.clear(page);
            if (regions.nextData(page) == page) {
                regions.read(page, 1, copy, PageGeometry.bytesOf(page));
            } else {
                copy.asSlice(PageGeometry.bytesOf(page), PageGeometry.PAGE_SIZE).fill((byte) 0);
            }
        }
    }

    private static long differing(RegionMemory regions, MemorySegment copy, MemorySegment page) {
        long differing = 0;
        for (long at = 0; at < regions.regions().pageCount(); at++) {
            MemorySegment of = copy.asSlice(PageGeometry.bytesOf(at), PageGeometry.PAGE_SIZE);
            if (regions.nextData(at) != at) {
                differing += ZeroCodec.isZero(copy, PageGeometry.bytesOf(at)) ? 0 : 1;
            } else {
                regions.read(at, 1, page, 0);
                differing += of.mismatch(page) < 0 ? 0 : 1;
            }
        }
        return differing;
    }
}
