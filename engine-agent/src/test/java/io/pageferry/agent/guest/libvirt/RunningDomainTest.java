package io.pageferry.agent.guest.libvirt;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.LibvirtHost;
import io.pageferry.agent.e2e.Poll;
import io.pageferry.agent.e2e.Sampled;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A domain that stands still and has given its disk up, which somebody else holds then. */
@Sampled
class RunningDomainTest {
    private static final String NAME = "web";
    private static final String DOMAIN = """
            <domain type='qemu'><name>%s</name><memory unit='MiB'>16</memory>
              <os><type arch='x86_64' machine='pc'>hvm</type></os>
              <cpu mode='custom'><model>qemu64</model></cpu>
              <devices><disk type='file' device='disk'>
                <driver name='qemu' type='raw'/><source file='%s'/>
                <target dev='vda' bus='virtio'/>
              </disk></devices>
            </domain>
            """;

    @TempDir
    Path folder;

    private LibvirtHost host;
    private LibvirtUri uri;
    private Path image;

    @BeforeEach
    void start() throws IOException {
        host = LibvirtHost.start(folder);
        openToAll(folder);
        image = Files.write(folder.resolve("disk"), new byte[1 << 20]);
        host.must("create", "--paused", Files.writeString(folder.resolve("web.xml"),
                DOMAIN.formatted(NAME, image)).toString());
        uri = LibvirtUri.parse(GuestUri.parse("libvirt:" + NAME
                + "?connect=qemu+unix:///system?socket=" + host.socket()));
        giveTheDiskUp();
    }

    @AfterEach
    void end() throws IOException {
        if (host != null) {
            host.close();
        }
    }

    private static void openToAll(Path path) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxrwxrwx"));
    }

    private String monitor(String command) throws IOException {
        return host.must("qemu-monitor-command", NAME, command);
    }

    /** As QEMU does at the end of a migration. */
    private void giveTheDiskUp() throws IOException {
        Path socket = folder.resolve("away.sock");
        try (ServerSocketChannel server =
                ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            openToAll(socket);
            monitor("{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"unix:" + socket + "\"}}");
            try (SocketChannel away = server.accept()) {
                ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
                while (away.read(bytes.clear()) >= 0) {
                    assertTrue(bytes.position() > 0);
                }
            }
        }
        Poll.until(() -> monitor("{\"execute\":\"query-status\"}").contains("postmigrate"),
                () -> "it still has its disk");
    }

    /** As a guard has it, whose agent may have let it run before it died. */
    @Test
    void onlyWhatNobodyCanHaveLetRunIsSaidToHaveNeverRun() throws Exception {
        try (FileChannel other = FileChannel.open(image, StandardOpenOption.WRITE)) {
            assertTrue(other.lock().isValid());
            assertTrue(refused(new RunningDomain(uri, false)).neverRan());
            assertFalse(refused(new RunningDomain(uri, true)).neverRan());
        }
        new RunningDomain(uri, false).resume();
        assertTrue(host.must("domstate", NAME).contains("running"));
    }

    private static GuestException refused(RunningDomain domain) {
        return assertThrows(GuestException.class, domain::resume);
    }
}
