package io.pageferry.agent.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.qemu.qmp.FakeMonitor;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A monitor that passes all on to that of a QEMU, and writes down what is asked. */
final class TappedMonitor {
    private static final Pattern COMMAND = Pattern.compile("\"execute\":\"([^\"]+)\"");

    private TappedMonitor() {
    }

    /** Listens at a path; each command is added to what was asked before it is passed on. */
    static FakeMonitor open(Path path, Path monitor, List<String> asked) throws IOException {
        return new FakeMonitor(path, client -> relay(client, monitor, asked));
    }

    private static void relay(FakeMonitor.Client client, Path monitor, List<String> asked)
            throws IOException {
        try (SocketChannel qemu = SocketChannel.open(UnixDomainSocketAddress.of(monitor))) {
            Thread.ofPlatform().daemon().start(() -> {
                try {
                    Channels.newInputStream(qemu).transferTo(
                            Channels.newOutputStream(client.channel()));
                    client.channel().close(); // as a QEMU that ended
                } catch (IOException e) {
                    return; // one of both has left
                }
            });
            for (String line = client.in().readLine(); line != null;
                    line = client.in().readLine()) {
                Matcher command = COMMAND.matcher(line);
                assertTrue(command.find(), line);
                asked.add(command.group(1));
                qemu.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
            }
        }
    }
}
