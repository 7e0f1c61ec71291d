package io.pageferry.agent.guest.qemu.qmp;

import java.io.BufferedReader;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A monitor whose every word the test chooses. Serves one client, on a thread of its own. */
public final class FakeMonitor implements AutoCloseable {
    public static final String GREETING = "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 3,"
            + " \"minor\": 2, \"major\": 7}, \"package\": \"fake\"},"
            + " \"capabilities\": [\"oob\"]}}\n";
    public static final Pattern ID = Pattern.compile("\"id\":(\\d+)");

    /** What the monitor does with its client. */
    public interface Script {
        void run(Client client) throws IOException;
    }

    /** One client, as the monitor sees it. */
    public record Client(SocketChannel channel, BufferedReader in) {
        public void say(String text) throws IOException {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }

        /** The next command's id; its text must hold a word. */
        long expect(String word) throws IOException {
            String line = in.readLine();
            if (line == null || !line.contains(word)) {
                throw new IOException("expected " + word + ", got " + line);
            }
            Matcher id = ID.matcher(line);
            return id.find() ? Long.parseLong(id.group(1)) : -1;
        }

        void answer(String word, String json) throws IOException {
            long id = expect(word);
            say("{\"return\": " + json + ", \"id\": " + id + "}\r\n");
        }

        void greet() throws IOException {
            say(GREETING);
            answer("qmp_capabilities", "{}");
        }

        /** Stays until the client leaves. */
        void stay() throws IOException {
            while (in.readLine() != null) {
                // Whatever it says now.
            }
        }
    }

    private final Path path;
    private final ServerSocketChannel server;
    private final Thread thread;
    private volatile IOException failure;

    public FakeMonitor(Path path, Script script) throws IOException {
        this.path = path;
        this.server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        this.server.bind(UnixDomainSocketAddress.of(path));
        this.thread = Thread.ofPlatform().daemon().start(() -> {
            try (SocketChannel channel = server.accept();
                    BufferedReader in = new BufferedReader(new InputStreamReader(
                            Channels.newInputStream(channel), StandardCharsets.UTF_8))) {
                script.run(new Client(channel, in));
            } catch (IOException e) {
                failure = e;
            }
        });
    }

    public Path path() {
        return path;
    }

    /** What the script stumbled over, or null. */
    IOException failure() throws InterruptedException {
        thread.join(10_000);
        return failure;
    }

    @Override
    public void close() throws IOException {
        server.close();
        Files.deleteIfExists(path);
    }
}
