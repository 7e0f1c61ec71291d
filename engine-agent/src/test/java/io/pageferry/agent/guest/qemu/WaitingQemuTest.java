package io.pageferry.agent.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoMachine.Memory;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A QEMU that waits for a guest, while somebody has another monitor of it. */
class WaitingQemuTest {
    private static final long MEMORY = 192L << 20;

    @TempDir
    Path folder;

    @Test
    void aTargetThatWasChangedWhileItWaitedIsRefused() throws IOException, GuestException {
        Path monitor = folder.resolve("other");
        DemoMachine machine = new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, MEMORY, 1,
                Memory.FILE, List.of("-qmp", "unix:" + monitor + ",server=on,wait=off"));
        try (DemoQemu qemu = DemoQemu.target(machine, folder.resolve("vm"));
                QemuControl other = QemuControl.connect(monitor)) {
            Map<String, String> facts = QemuProbe.read(other).asMap();
            GuestDescription offered = new GuestDescription("qemu", "vm",
                    RegionTable.single("ram", MEMORY), 0, facts);
            TargetGuest incoming = new QemuKind().openTarget(GuestUri.parse("qemu:" + qemu.qmp()),
                    new GuestSetup(TrackerChoice.AUTO, false, pid -> -1));
            try {
                assertEquals(MEMORY, incoming.prepare(offered).regions().totalBytes());
                other.qmp().execute("device_add", JsonNodeFactory.instance.objectNode()
                        .put("driver", "virtio-rng-pci").put("id", "dice"));
                GuestException refused = assertThrows(GuestException.class,
                        () -> incoming.prepare(offered));
                assertTrue(refused.getMessage().contains("dice"), refused.getMessage());
                other.qmp().execute("migrate-incoming", JsonNodeFactory.instance.objectNode()
                        .put("uri", "unix:" + folder.resolve("theirs")));
                refused = assertThrows(GuestException.class, () -> incoming.prepare(offered));
                assertTrue(refused.getMessage().contains("already listens"),
                        refused.getMessage());
            } finally {
                incoming.close();
            }
        }
    }
}
