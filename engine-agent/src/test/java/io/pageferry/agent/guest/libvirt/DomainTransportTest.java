package io.pageferry.agent.guest.libvirt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.LibvirtHost;
import io.pageferry.agent.e2e.Sampled;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The monitor of a domain by way of a real libvirt; its guest is the firmware alone. */
@Sampled
class DomainTransportTest {
    private static final Duration SOON = Duration.ofMillis(200);
    private static final String DOMAIN = """
            <domain type='qemu'><name>web</name><memory unit='MiB'>16</memory>
              <os><type arch='x86_64' machine='pc'>hvm</type></os>
              <cpu mode='custom'><model>qemu64</model></cpu>
            </domain>
            """;

    @TempDir
    Path folder;

    private LibvirtHost host;
    private LibvirtUri uri;

    @BeforeEach
    void start() throws IOException {
        host = LibvirtHost.start(folder);
        host.must("create", Files.writeString(folder.resolve("web.xml"), DOMAIN).toString());
        uri = LibvirtUri.parse(GuestUri.parse("libvirt:web?connect=qemu+unix:///system?socket="
                + host.socket()));
    }

    @AfterEach
    void end() throws IOException {
        if (host != null) {
            host.close();
        }
    }

    /** Numbers of clients begin anew with the daemon, and its first one here is virsh. */
    @Test
    void oneConnectionIsEnough() throws GuestException, IOException {
        host.restartDaemon();
        try (QemuControl qemu = DomainAddress.find(uri).qemu()) {
            assertTrue(qemu.status().running());
            assertEquals(List.of(2), host.clients());
        }
        assertEquals(List.of(), host.clients());
    }

    /** Here the worker waits for libvirt with a question, and QEMU is to be stopped too late. */
    @Test
    void aCommandThatNobodyWaitsForIsNotSent() throws GuestException, IOException {
        try (QemuControl qemu = DomainAddress.find(uri).qemu()) {
            host.signalDaemon(Signal.STOP);
            try {
                for (String command : List.of("query-status", "stop")) {
                    assertThrows(QmpException.class,
                            () -> qemu.qmp().execute(command, null, SOON));
                }
            } finally {
                host.signalDaemon(Signal.CONT);
            }
            assertTrue(qemu.status().running());
        }
    }

    @Test
    void aDaemonThatIsRestartedIsConnectedToAgain() throws GuestException, IOException {
        try (QemuControl qemu = DomainAddress.find(uri).qemu()) {
            host.restartDaemon();
            qemu.stop();
            assertFalse(qemu.status().running());
            host.restartDaemon();
            QmpException unknown = assertThrows(QmpException.class,
                    () -> qemu.qmp().execute("xen-save-devices-state"));
            assertTrue(unknown.getMessage().contains("whether QEMU obeyed is unknown"),
                    unknown::getMessage);
            assertTrue(qemu.cont().running());
        }
    }
}
