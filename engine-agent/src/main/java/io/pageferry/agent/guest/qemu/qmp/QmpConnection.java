package io.pageferry.agent.guest.qemu.qmp;

import io.pageferry.agent.guest.qemu.qmp.QmpException.Kind;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;

/**
 * JSON objects, one per line, to and from a UNIX socket. The channel is non-blocking: a blocking
 * one would be closed by an interrupt of its caller, and its connect would wait for ever on a
 * listener whose backlog is full. One daemon thread reads, and ends with the connection.
 */
final class QmpConnection implements QmpTransport {
    private static final String HUNG_UP = "QEMU closed it, most likely because it ended";

    private final Path socket;
    private final Handler handler;
    private final SocketChannel channel;
    private final Selector selector;
    private final Object writeLock = new Object();
    private final Object endLock = new Object();
    private volatile QmpException end;

    private QmpConnection(Path socket, Handler handler, SocketChannel channel,
            Selector selector) {
        this.socket = socket;
        this.handler = handler;
        this.channel = channel;
        this.selector = selector;
    }

    /**
     * Connects and begins to read.
     *
     * @return null where the listener's backlog is full: it serves another client
     */
    static QmpConnection open(Path socket, Handler handler) throws IOException {
        if (!Files.exists(socket)) {
            throw QmpException.of(Kind.CLOSED, "there is no monitor at " + socket
                    + ": start QEMU with -qmp unix:" + socket + ",server=on,wait=off");
        }
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        Selector selector = null;
        boolean success = false;
        try {
            channel.configureBlocking(false);
            if (!connect(channel, socket)) {
                return null;
            }
            selector = Selector.open();
            channel.register(selector, SelectionKey.OP_READ);
            QmpConnection connection = new QmpConnection(socket, handler, channel, selector);
            Thread.ofPlatform().daemon().name("qmp " + socket.getFileName())
                    .start(connection::read);
            success = true;
            return connection;
        } finally {
            if (!success) {
                channel.close();
                if (selector != null) {
                    selector.close();
                }
            }
        }
    }

    private static boolean connect(SocketChannel channel, Path socket) throws IOException {
        try {
            return channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (ConnectException e) {
            throw QmpException.of(Kind.CLOSED, "nobody listens at " + socket
                    + ": the QEMU that made it has ended");
        } catch (SocketException e) {
            // Where the path can be written, what is left is EAGAIN: the backlog is full.
            if (Files.isWritable(socket)) {
                return false;
            }
            throw QmpException.of(Kind.CLOSED, socket + ": " + e.getMessage());
        }
    }

    @Override
    public void send(String lines, long deadline) throws QmpException {
        ByteBuffer bytes = ByteBuffer.wrap(lines.getBytes(StandardCharsets.UTF_8));
        synchronized (writeLock) {
            while (bytes.hasRemaining()) {
                check();
                if (write(bytes) > 0) {
                    continue;
                }
                // The socket's buffer takes many commands, so this is a QEMU that hangs.
                if (System.nanoTime() - deadline > 0) {
                    // Half a command may be out: nothing sent after it would be understood.
                    close(closed("QEMU does not read commands"));
                    throw QmpException.of(Kind.TIMEOUT, "QEMU did not read a command in time");
                }
                LockSupport.parkNanos(100_000);
            }
        }
    }

    private int write(ByteBuffer bytes) throws QmpException {
        try {
            return channel.write(bytes);
        } catch (IOException e) {
            close(closed(HUNG_UP));
            check();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void check() throws QmpException {
        QmpException reason = end;
        if (reason != null) {
            throw reason.again();
        }
    }

    @Override
    public boolean isOpen() {
        return end == null;
    }

    @Override
    public String name() {
        return socket.toString();
    }

    @Override
    public void close(QmpException reason) {
        synchronized (endLock) {
            if (end != null) {
                return;
            }
            end = reason;
        }
        try {
            channel.close();
            selector.close();
        } catch (IOException e) {
            // Nothing is buffered on this side, so a close that fails loses nothing.
        }
        handler.ended(reason);
    }

    private void read() {
        ByteBuffer buffer = ByteBuffer.allocate(64 << 10);
        QmpLines lines = new QmpLines(socket, handler);
        try {
            while (isOpen()) {
                selector.select();
                selector.selectedKeys().clear();
                if (channel.read(buffer.clear()) < 0) {
                    close(closed(HUNG_UP));
                    return;
                }
                lines.take(buffer.flip());
            }
        } catch (QmpException e) {
            close(e);
        } catch (IOException | ClosedSelectorException e) {
            // A QEMU that ends with commands unread resets the connection.
            close(closed(HUNG_UP));
        }
    }
}
