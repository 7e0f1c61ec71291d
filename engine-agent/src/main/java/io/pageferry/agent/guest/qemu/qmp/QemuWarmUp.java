package io.pageferry.agent.guest.qemu.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.host.process.Threads;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Pauses, saves, loads and resumes against a stand-in for QEMU, so that the code is warm when a
 * guest waits for it; docs/adr/0004 has the figures.
 *
 * <p>The stand-in knows the commands of {@link QemuControl} and moves a state of the usual size
 * through real sockets. It answers on a thread of its own that ends with its client.
 */
public final class QemuWarmUp {
    /** Takes a fifth of a second. */
    private static final int TIMES = 40;
    private static final int STATE_BYTES = 320_000;
    private static final Duration LIMIT = Duration.ofSeconds(1);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ServerSocketChannel monitor;
    private final ByteBuffer state = ByteBuffer.allocateDirect(STATE_BYTES);
    private ServerSocketChannel incoming;
    private String outgoing;
    private String status = "none";

    private QemuWarmUp(ServerSocketChannel monitor) {
        this.monitor = monitor;
    }

    /**
     * Warms up the code that talks to a QEMU.
     *
     * @throws IOException when sockets or files cannot be made
     */
    public static void run() throws IOException {
        Path folder = Files.createTempDirectory("pf");
        Path path = folder.resolve("qmp");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path));
            QemuWarmUp standIn = new QemuWarmUp(server);
            Thread thread = Thread.ofPlatform().daemon().name("pageferry-stand-in")
                    .start(standIn::serve);
            try (QemuControl qemu = QemuControl.connect(path)) {
                for (int i = 0; i < TIMES; i++) {
                    move(qemu, folder.resolve("state"));
                }
            }
            Threads.join(thread, LIMIT);
        } finally {
            Files.deleteIfExists(path);
            Files.deleteIfExists(folder.resolve("state"));
            Files.deleteIfExists(folder);
        }
    }

    private static void move(QemuControl qemu, Path socket) throws IOException {
        QemuControl.Settings before = qemu.settings();
        qemu.prepareSource(before);
        ByteArrayOutputStream saved = new ByteArrayOutputStream(STATE_BYTES);
        qemu.stop();
        DeviceState.save(qemu, socket, saved, LIMIT);
        DeviceState.arm(qemu, QemuControl.OF_STREAM);
        DeviceState.expect(qemu, socket);
        DeviceState.load(qemu, socket, ByteBuffer.wrap(saved.toByteArray()), LIMIT);
        qemu.cont();
        while (qemu.qmp().pollEvent() != null) {
            // The guest's word that it paused and resumed.
        }
        qemu.restore(before);
    }

    // --- the stand-in, on its own thread

    private void serve() {
        try (SocketChannel client = monitor.accept();
                BufferedReader in = new BufferedReader(new InputStreamReader(
                        Channels.newInputStream(client), StandardCharsets.UTF_8))) {
            say(client, "{\"QMP\":{\"version\":{\"qemu\":{\"micro\":0,\"minor\":2,\"major\":7},"
                    + "\"package\":\"\"},\"capabilities\":[\"oob\"]}}");
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                JsonNode command = JSON.readTree(line);
                String answer = answer(client, command);
                say(client, "{\"return\":" + answer + ",\"id\":" + command.path("id") + "}");
                sendState();
                takeState();
            }
        } catch (IOException e) {
            // A warm-up that is cut short has warmed what it has warmed.
        } finally {
            close();
        }
    }

    private String answer(SocketChannel client, JsonNode command) throws IOException {
        String name = command.path("execute").asText();
        JsonNode arguments = command.path("arguments");
        switch (name) {
            case "stop" -> event(client, "STOP");
            case "cont" -> event(client, "RESUME");
            case "migrate" -> begin(arguments.path("uri").asText());
            case "migrate-incoming" -> listen(arguments.path("uri").asText());
            default -> { }
        }
        return switch (name) {
            case "query-status" ->
                    "{\"status\":\"paused\",\"running\":false,\"singlestep\":false}";
            case "query-migrate" -> "{\"status\":\"" + status + "\"}";
            case "query-migrate-parameters" ->
                    "{\"max-bandwidth\":134217728,\"downtime-limit\":300}";
            case "query-migrate-capabilities" ->
                    "[{\"state\":false,\"capability\":\"xbzrle\"},"
                            + "{\"state\":true,\"capability\":\"auto-converge\"}]";
            default -> "{}";
        };
    }

    private void event(SocketChannel client, String name) throws IOException {
        say(client, "{\"timestamp\":{\"seconds\":1,\"microseconds\":1},\"event\":\"" + name
                + "\"}");
    }

    private static void say(SocketChannel client, String line) throws IOException {
        write(client, ByteBuffer.wrap((line + "\r\n").getBytes(StandardCharsets.UTF_8)));
    }

    private void begin(String uri) {
        outgoing = uri;
        status = "active";
    }

    /** After the answer, as QEMU does: the client reads only then, and a socket holds less. */
    private void sendState() throws IOException {
        if (outgoing == null) {
            return;
        }
        try (SocketChannel out = SocketChannel.open(address(outgoing))) {
            write(out, state.clear());
        }
        outgoing = null;
        status = "completed";
    }

    private void listen(String uri) throws IOException {
        incoming = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        incoming.bind(address(uri));
        status = "setup";
    }

    private void takeState() throws IOException {
        if (incoming == null) {
            return;
        }
        try (ServerSocketChannel server = incoming; SocketChannel in = server.accept()) {
            while (in.read(state.clear()) >= 0) {
                // Its content is ignored.
            }
        } finally {
            incoming = null;
        }
        status = "completed";
    }

    private static void write(SocketChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static UnixDomainSocketAddress address(String uri) {
        return UnixDomainSocketAddress.of(uri.substring("unix:".length()));
    }

    private void close() {
        try {
            if (incoming != null) {
                incoming.close();
            }
        } catch (IOException e) {
            // There is nothing more to do for it.
        }
    }
}
