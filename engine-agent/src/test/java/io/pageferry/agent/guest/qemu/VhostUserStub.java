package io.pageferry.agent.guest.qemu;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/**
 * So much of a vhost-user back-end as QEMU asks for before its machine exists (its
 * docs/interop/vhost-user.rst): what it can do. It maps no memory and moves no packet.
 */
final class VhostUserStub implements AutoCloseable {
    private static final int HEADER = 12;
    private static final int VERSION_AND_REPLY = 5;
    private static final int GET_FEATURES = 1;
    private static final int GET_PROTOCOL_FEATURES = 15;
    /** VIRTIO_F_VERSION_1 and VHOST_USER_F_PROTOCOL_FEATURES. */
    private static final long FEATURES = 1L << 32 | 1L << 30;

    private final ServerSocketChannel server;
    private final Thread thread;
    private volatile boolean asked;

    VhostUserStub(Path socket) throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        thread = Thread.ofPlatform().daemon().start(() -> {
            try (SocketChannel client = server.accept()) {
                while (answer(client)) {
                    // Until QEMU hangs up.
                }
            } catch (IOException e) {
                // By close(), or QEMU is gone.
            }
        });
    }

    private boolean answer(SocketChannel client) throws IOException {
        ByteBuffer header = read(client, HEADER);
        if (header == null) {
            return false;
        }
        asked = true;
        int request = header.getInt(0);
        read(client, header.getInt(8));
        if (request == GET_FEATURES || request == GET_PROTOCOL_FEATURES) {
            client.write(ByteBuffer.allocate(HEADER + Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN).putInt(request).putInt(VERSION_AND_REPLY)
                    .putInt(Long.BYTES).putLong(request == GET_FEATURES ? FEATURES : 0).flip());
        }
        return true;
    }

    /** {@return whether a QEMU spoke to it} */
    boolean wasAsked() {
        return asked;
    }

    private static ByteBuffer read(SocketChannel client, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            if (client.read(bytes) < 0) {
                return null;
            }
        }
        return bytes;
    }

    @Override
    public void close() throws IOException {
        server.close();
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
