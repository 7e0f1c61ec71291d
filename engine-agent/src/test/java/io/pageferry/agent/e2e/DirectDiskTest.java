package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.qemu.check.DiskDrain;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.check.VhostUserDevices;
import io.pageferry.agent.guest.qemu.memory.MemoryTracking;
import io.pageferry.agent.guest.qemu.memory.QemuMemory;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.host.linux.userfault.RemoteUserfault;
import io.pageferry.agent.host.memory.RegionMemory;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.dirty.TrackerException;
import java.io.IOException;
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
 * A guest that reads a disk with O_DIRECT, by native AIO or an io_uring, and never from its cache.
 * The kernel holds each read up, so that what is read lands in pages that were pinned, harvested
 * and sent before.
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
    /** Far more than a pass takes: 10 s of the guest's. */
    private static final long STALLED_TICKS = 200;
    /** Both ask the kernel to write to pages that are pinned, by other calls. */
    private static final String AIO =
            List.of("native", "io_uring").get(Draw.random().nextInt(1000) % 2);
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
                "-drive", "file=" + disk.device() + ",format=raw,if=none,id=d0,cache=none,aio="
                + AIO + ",readonly=on",
                "-device", "virtio-blk-pci,drive=d0,iothread=disks")));
        Poll.until(() -> passes() > 0, () -> "it does not read its disk by aio=" + AIO);
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
            // QEMU's answer alone takes 2 ms, without it nothing does.
            assertTrue(drain.path("longestMs").asDouble() > 1, source::toString);
            System.out.println("aio=" + AIO + ", move " + move + ": drain " + drain
                    + ", downtime " + source.report().path("downtimeMs").asDouble() + " ms");
            home.movedTo(next);
            long passes = passes();
            Poll.until(() -> passes() > passes + 1, () -> "it reads no more");
            home.livesOn();
        }
    }

    @Test
    void whatAKilledAgentLeftInQemuItsGuardTakesAway() throws IOException {
        DemoQemu next = rig.waiting(home.machine());
        Agent target = rig.receive(next, "");
        Agent source = rig.migrate(home.qemu(), target, "round 0");
        source.awaitHold("round 0");
        source.kill();
        E2e.assertEnds(4, "failed", target);
        rig.awaitNothingLeft();
        assertNoNode();
        home.livesOn();
        rig.end(next);
    }

    /** QEMU hangs in the drain of a harvest, and the guest with it: nobody has paused that. */
    @Test
    void aDiskThatStopsAnsweringEndsTheMoveAndNotTheGuest() throws IOException {
        DemoQemu next = rig.waiting(home.machine());
        Agent target = rig.receive(next, "");
        Agent source = rig.migrate(home.qemu(), target, "round 0", "--max-switchover", "3s");
        source.awaitHold("round 0");
        disk.stall(home.qemu().process(), true);
        try {
            long pass = passes();
            long tick = home.log().lastTick();
            // It reads all the time: a pass without an end waits for the disk.
            while (home.log().lastTick() < tick + STALLED_TICKS) {
                if (passes() != pass) {
                    pass = passes();
                    tick = home.log().lastTick();
                }
                LockSupport.parkNanos(HELD_MILLIS * 1_000_000L);
            }
            source.goOn();
            E2e.assertEnds(4, "failed", source);
            E2e.assertEnds(4, "failed", target);
            String reason = source.report().at("/error/reason").asText();
            assertTrue(reason.contains("disk d0 (" + disk.device() + ")"), reason);
            assertFalse(source.states().contains("switchover"), source::toString);
        } finally {
            disk.stall(home.qemu().process(), false);
        }
        rig.awaitNothingLeft();
        assertNoNode();
        home.livesOn();
        rig.end(next);
    }

    private void assertNoNode() throws IOException {
        try (QemuControl control = home.qemu().control()) {
            assertFalse(control.qmp().execute("query-named-block-nodes").toString()
                    .contains("pageferry-drain"), "its node is left");
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
        try (QemuControl control = home.qemu().control()) {
            QemuFacts facts = QemuProbe.read(control);
            QemuMemory memory = QemuMemory.find(pid, control, facts.memory());
            RegionMemory regions = memory.map(false);
            MemoryTracking tracking = MemoryTracking.of(pid, new GuestSetup(TrackerChoice.AUTO,
                    false, one -> RemoteUserfault.open(one).release()), memory, regions,
                    new MemoryTracking.Writers(memory.backends(VhostUserDevices.of(control,
                    facts)), Optional.ofNullable(waits ? DiskDrain.open(control,
                    GuestSetup.PAUSE_LIMIT) : null)));
            assertEquals(waits, tracking.drained().isPresent());
            try (FollowedCopy copy = new FollowedCopy(regions, tracking.tracker())) {
                for (int i = 0; i < HARVESTS; i++) {
                    LockSupport.parkNanos(HELD_MILLIS * 500_000L);
                    copy.follow();
                }
                control.stop();
                return copy.differing();
            } finally {
                assertTrue(control.cont().running());
            }
        } finally {
            assertNoNode();
        }
    }
}
