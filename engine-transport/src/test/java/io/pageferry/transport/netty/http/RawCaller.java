package io.pageferry.transport.netty.http;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A caller of the JDK's sockets that does what it is told, right or wrong. */
final class RawCaller implements AutoCloseable {
    final SocketChannel socket;
    private final StringBuilder read = new StringBuilder();

    RawCaller(Path path) throws IOException {
        this.socket = SocketChannel.open(UnixDomainSocketAddress.of(path));
    }

    RawCaller send(String text) throws IOException {
        ByteBuffer bytes = StandardCharsets.ISO_8859_1.encode(text);
        while (bytes.hasRemaining()) {
            socket.write(bytes);
        }
        return this;
    }

    RawCaller get(String path) throws IOException {
        return send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    }

    /** Reads until a text came, and gives all that came; waits as long as a test may. */
    String until(String text) throws IOException {
        while (read.indexOf(text) < 0 && more()) {
            continue;
        }
        if (read.indexOf(text) < 0) {
            throw new AssertionError("no " + text + " in " + read);
        }
        return read.toString();
    }

    /** Reads to the end, which may be a reset, and gives all that came. */
    String all() throws IOException {
        while (more()) {
            continue;
        }
        return read.toString();
    }

    private boolean more() {
        ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
        try {
            if (socket.read(bytes) < 0) {
                return false;
            }
        } catch (IOException e) {
            return false;
        }
        read.append(StandardCharsets.UTF_8.decode(bytes.flip()));
        return true;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
