package io.pageferry.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.check.QemuInspector;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.qmp.DeviceState;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.RunState;
import io.pageferry.agent.host.linux.Requirements;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two QEMUs and one disk: with late-block-activate at the target, its lock goes to whoever says
 * cont first, and the other one stays paused.
 */
class DiskLockTest {
    private static final Duration LIMIT = Requirements.HANG;

    @TempDir
    Path folder;

    @Test
    void whoeverContinuesSecondIsRefused() throws IOException {
        Path disk = folder.resolve("disk");
        try (RandomAccessFile image = new RandomAccessFile(disk.toFile(), "rw")) {
            image.setLength(1 << 20);
        }
        DemoMachine machine = new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, 192L << 20,
                1, DemoMachine.Memory.FILE,
                List.of("-drive", "file=" + disk + ",format=raw,if=virtio"));
        try (DemoQemu source = DemoQemu.source(machine, folder.resolve("a"));
                QemuControl here = source.control()) {
            here.stop();
            QemuFacts facts = QemuProbe.read(here);
            assertEquals(List.of(new QemuFacts.Drive("virtio0", "#device[0]", disk.toString(),
                    "raw", 1 << 20, false, false, false)), facts.drives());
            assertEquals(List.of(), QemuInspector.source(here, facts, false, true));
            try (DemoQemu target = loaded(source, here, "b")) {
                // A roll-back with the loaded target alive.
                assertEquals(new QemuControl.ContResult(true, false, ""), here.cont());
                assertRefused(target);
            }
            here.stop();
            try (DemoQemu target = loaded(source, here, "c")) {
                try (QemuControl there = target.control()) {
                    assertTrue(there.cont().running());
                }
                QemuControl.ContResult refused = here.cont();
                assertTrue(refused.lockRefused() && !refused.running(), refused.toString());
                assertFalse(here.status().running());
            }
            // The target is gone, and its lock with it.
            assertEquals(new QemuControl.ContResult(true, false, ""), here.cont());
        }
    }

    private static void assertRefused(DemoQemu target) throws IOException {
        try (QemuControl there = target.control()) {
            QemuControl.ContResult refused = there.cont();
            assertTrue(refused.lockRefused() && !refused.running(), refused.toString());
            assertEquals(RunState.PAUSED, there.status().state());
        }
    }

    /** A target with the source's memory and state, which has not run. */
    private DemoQemu loaded(DemoQemu source, QemuControl here, String name) throws IOException {
        DemoQemu target = DemoQemu.start(source.machine(), folder.resolve(name),
                source.memoryFile(), true);
        target.keepMemoryFile();
        try (QemuControl there = target.control()) {
            Path socket = folder.resolve("in");
            DeviceState.arm(there, QemuControl.OF_STREAM);
            DeviceState.expect(there, socket);
            here.prepareSource(here.settings());
            ByteArrayOutputStream state = new ByteArrayOutputStream();
            WritableByteChannel sink = Channels.newChannel(state);
            DeviceState.save(here, folder.resolve("state"), sink::write, LIMIT);
            DeviceState.load(there, socket, ByteBuffer.wrap(state.toByteArray()), LIMIT);
            return target;
        } catch (IOException e) {
            target.close();
            throw e;
        }
    }
}
