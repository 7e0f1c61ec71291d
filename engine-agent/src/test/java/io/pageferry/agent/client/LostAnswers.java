package io.pageferry.agent.client;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/** Stands before an agent, and ends connections that asked for a POST once it has answered. */
public final class LostAnswers implements AutoCloseable {
    private static final int BYTES = 64 << 10;

    private final ServerSocketChannel server;
    private final Path agent;
    private final AtomicInteger toLose;

    /** Listens at a path, for an agent at another one; loses so many answers. */
    public LostAnswers(Path path, Path agent, int answers) throws IOException {
        this.server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        this.agent = agent;
        this.toLose = new AtomicInteger(answers);
        server.bind(UnixDomainSocketAddress.of(path));
        Thread.ofPlatform().daemon().name("lost-answers").start(this::accept);
    }

    /** Returns how many are still to be lost. */
    public int left() {
        return Math.max(0, toLose.get());
    }

    private void accept() {
        try {
            while (true) {
                SocketChannel caller = server.accept();
                Thread.ofPlatform().daemon().start(() -> relay(caller));
            }
        } catch (IOException e) {
            // It was closed.
            return;
        }
    }

    private void relay(SocketChannel caller) {
        try (caller; SocketChannel there = SocketChannel.open(
                UnixDomainSocketAddress.of(agent))) {
            ByteBuffer asked = ByteBuffer.allocate(BYTES);
            if (caller.read(asked) < 0) {
                return;
            }
            boolean begins = StandardCharsets.ISO_8859_1.decode(asked.flip().duplicate())
                    .toString().startsWith("POST ");
            boolean lost = begins && toLose.getAndDecrement() > 0;
            there.write(asked);
            Thread more = Thread.ofPlatform().daemon().start(() -> copy(caller, there));
            if (lost) {
                there.read(ByteBuffer.allocate(BYTES));
                caller.close();
            } else {
                copy(there, caller);
            }
            more.interrupt();
        } catch (IOException e) {
            // Either end is gone.
            return;
        }
    }

    private static void copy(SocketChannel from, SocketChannel to) {
        try {
            ByteBuffer some = ByteBuffer.allocate(BYTES);
            while (from.read(some.clear()) >= 0) {
                some.flip();
                while (some.hasRemaining()) {
                    to.write(some);
                }
            }
        } catch (IOException e) {
            // Either end is gone.
            return;
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
