package io.pageferry.agent.guest.qemu.disk;

import io.pageferry.core.link.Message;
import io.pageferry.core.link.StreamLink;
import io.pageferry.core.precopy.RateLimiter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.concurrent.locks.LockSupport;

/**
 * One stream of a {@link Tunnel}: a socket on this side, messages on the other. Each direction
 * has at most {@link Message#STREAM_WINDOW} bytes on their way, by credit. One thread reads the
 * socket, one writes it.
 */
final class StreamPump {
    /** Gives the socket; may wait. */
    interface Opener {
        SocketChannel open() throws IOException;
    }

    private static final long LOOK_MILLIS = 50;
    private static final long NO_ROOM_NANOS = 100_000L;
    private static final long PACE_NANOS = 1_000_000L;

    private final int stream;
    private final StreamLink link;
    private final RateLimiter limiter;

    // Guarded by this.
    private final ArrayDeque<byte[]> inbox = new ArrayDeque<>();
    private SocketChannel socket;
    private boolean started;
    private boolean closed;
    private boolean peerEnded;
    private boolean endSaid;
    private long credit;
    private long sent;
    private long granted;
    private long received;
    /** Changed by the writing thread alone. */
    private volatile long written;

    StreamPump(int stream, StreamLink link, RateLimiter limiter) {
        this.stream = stream;
        this.link = link;
        this.limiter = limiter;
    }

    /** Opens the socket on a thread of its own, once; the stream begins when that is done. */
    synchronized void start(Opener opener) {
        if (!started) {
            started = true;
            thread("reads", () -> open(opener));
        }
    }

    private void thread(String what, Runnable task) {
        Thread.ofPlatform().daemon().name("pageferry-stream-" + stream + "-" + what).start(task);
    }

    private void open(Opener opener) {
        try {
            SocketChannel opened = opener.open();
            synchronized (this) {
                if (closed) {
                    close(opened);
                    return;
                }
                socket = opened;
                granted = Message.STREAM_WINDOW;
            }
            send(new Message.StreamCredit(stream, Message.STREAM_WINDOW));
            thread("writes", this::write);
            read(opened);
        } catch (IOException e) {
            // The process at the other end of the socket sees it end, and reports what it missed.
            end();
        }
    }

    private void read(SocketChannel from) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(Message.MAX_STREAM_BYTES);
        while (true) {
            awaitBudget();
            buffer.clear().limit((int) Math.min(buffer.capacity(), awaitCredit()));
            int length = from.read(buffer);
            if (length < 0) {
                end();
                return;
            }
            byte[] bytes = new byte[length];
            buffer.flip().get(bytes);
            synchronized (this) {
                sent += length;
            }
            send(new Message.StreamData(stream, bytes));
            limiter.took(length);
        }
    }

    private void awaitBudget() throws IOException {
        while (!limiter.isFree()) {
            if (!link.isUp() || isClosed()) {
                throw new IOException("the stream has ended");
            }
            LockSupport.parkNanos(PACE_NANOS);
        }
    }

    private synchronized long awaitCredit() throws IOException {
        while (credit <= sent) {
            await();
        }
        return credit - sent;
    }

    /** Looks now and then whether the link stands: a QEMU may wait for us, paused. */
    private void await() throws IOException {
        if (closed || !link.isUp()) {
            throw new IOException("the stream has ended");
        }
        try {
            wait(LOOK_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private void write() {
        try {
            for (byte[] bytes = next(); bytes != null; bytes = next()) {
                ByteBuffer buffer = ByteBuffer.wrap(bytes);
                while (buffer.hasRemaining()) {
                    socket.write(buffer);
                }
                written(bytes.length);
            }
        } catch (IOException e) {
            // The same as the peer's end.
        }
        end();
    }

    private synchronized byte[] next() throws IOException {
        while (inbox.isEmpty()) {
            if (peerEnded) {
                return null;
            }
            await();
        }
        return inbox.poll();
    }

    private void written(int bytes) throws IOException {
        written = written + bytes;
        long more;
        synchronized (this) {
            if (granted - written > Message.STREAM_WINDOW / 2) {
                return;
            }
            granted = written + Message.STREAM_WINDOW;
            more = granted;
        }
        send(new Message.StreamCredit(stream, more));
    }

    /** Waits for room in the link's queue: others go first there. */
    private void send(Message.Streamed message) throws IOException {
        while (!link.sendStreamed(message)) {
            if (!link.isUp() || isClosed()) {
                throw new IOException("the link is lost");
            }
            LockSupport.parkNanos(NO_ROOM_NANOS);
        }
    }

    /** Takes what the other side sent; does not wait. */
    synchronized void take(Message.Streamed message) {
        switch (message) {
            case Message.StreamCredit more -> credit = Math.max(credit, more.upTo());
            case Message.StreamData data -> {
                received += data.bytes().length;
                if (received > granted) {
                    // It sends more than it may: nothing of it is kept.
                    peerEnded = true;
                    inbox.clear();
                    close();
                } else {
                    inbox.add(data.bytes());
                }
            }
            case Message.StreamEnd _ -> peerEnded = true;
        }
        notifyAll();
    }

    synchronized long sentBytes() {
        return sent;
    }

    /** Bytes that came from the other side and went on. */
    long writtenBytes() {
        return written;
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    /** Ends it and sends that, once; also after {@link #close}, whose caller must not wait. */
    private void end() {
        close();
        synchronized (this) {
            if (endSaid) {
                return;
            }
            endSaid = true;
        }
        while (!link.sendStreamed(new Message.StreamEnd(stream)) && link.isUp()) {
            LockSupport.parkNanos(NO_ROOM_NANOS);
        }
    }

    /** Ends it; idempotent. */
    synchronized void close() {
        closed = true;
        close(socket);
        notifyAll();
    }

    static void close(Channel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            // It is closed all the same.
            return;
        }
    }
}
