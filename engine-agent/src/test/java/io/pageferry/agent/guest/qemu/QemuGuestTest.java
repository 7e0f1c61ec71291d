package io.pageferry.agent.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** A QEMU that ends while it is asked something: "failed" would say that its guest runs on. */
class QemuGuestTest {
    @TempDir
    Path folder;

    @Test
    void aGuestThatEndsWhileItIsAskedHasEnded() throws IOException, GuestException {
        DemoMachine machine = new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, 192L << 20);
        try (DemoQemu qemu = DemoQemu.source(machine, folder.resolve("vm"))) {
            SourceGuest guest = new QemuKind().openSource(GuestUri.parse("qemu:" + qemu.qmp()),
                    new GuestSetup(TrackerChoice.SCAN, false, pid -> -1));
            try {
                guest.requireUnchanged();
                qemu.process().kill();
                for (Executable question : List.<Executable>of(guest::requireUnchanged,
                        guest::isRunning, guest::pause)) {
                    assertEquals(ErrorCode.GUEST_ENDED,
                            assertThrows(GuestException.class, question).code());
                }
            } finally {
                guest.close();
            }
        }
    }
}
