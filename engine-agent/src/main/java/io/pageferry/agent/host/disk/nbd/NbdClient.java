package io.pageferry.agent.host.disk.nbd;

import io.pageferry.agent.host.disk.nbd.NbdRequest.Command;
import io.pageferry.agent.host.linux.LinuxException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A connection to an export of an NBD server. Calls wait for the server, each for no longer than
 * the limit; any thread, several at once. What breaks the connection ends all of them.
 */
final class NbdClient implements AutoCloseable {
    private static final int REQUEST = 0x25609513;
    private static final int REQUEST_BYTES = 28;
    private static final ByteBuffer NO_DATA = ByteBuffer.allocate(0);
    private static final Duration LOOK = Duration.ofMillis(100);

    private final NbdAddress address;
    private final NbdSocket socket;
    private final NbdExport export;
    private final Duration limit;
    private final NbdReplies replies;
    private final Thread reader;
    private final ReentrantLock sending = new ReentrantLock();
    private final AtomicLong cookies = new AtomicLong();
    private volatile IOException failure;

    private NbdClient(NbdAddress address, NbdSocket socket, Duration limit) throws IOException {
        this.address = address;
        this.socket = socket;
        this.limit = limit;
        this.export = new NbdHandshake(socket, address.export()).run();
        this.replies = new NbdReplies(socket::read, export);
        this.reader = Thread.ofPlatform().daemon().name("nbd").unstarted(this::read);
    }

    /**
     * Connects to a server and one of its exports.
     *
     * @param address of the export
     * @param limit   for each answer
     * @return ready for requests
     * @throws IOException in one line that names the export, where that cannot be
     */
    static NbdClient connect(NbdAddress address, Duration limit) throws IOException {
        NbdSocket socket = null;
        boolean connected = false;
        try {
            socket = NbdSocket.connect(address.socket(), limit);
            NbdClient client = new NbdClient(address, socket, limit);
            client.reader.start();
            connected = true;
            return client;
        } catch (IOException e) {
            throw new IOException("no NBD server at " + address.socket() + " has "
                    + address + ": " + e.getMessage(), e);
        } finally {
            if (!connected && socket != null) {
                socket.close();
            }
        }
    }

    NbdExport export() {
        return export;
    }

    /** Returns whether it can still be asked. */
    boolean isUp() {
        return failure == null;
    }

    /** Reads; memory is filled up to its end. */
    void read(long offset, MemorySegment into) throws IOException {
        NbdRequest request = NbdRequest.read(offset, into);
        await(request, NO_DATA);
    }

    void write(long offset, MemorySegment from) throws IOException {
        await(new NbdRequest(Command.WRITE, offset, (int) from.byteSize()), from.asByteBuffer());
    }

    void zero(long offset, int length) throws IOException {
        await(new NbdRequest(Command.WRITE_ZEROES, offset, length), NO_DATA);
    }

    void flush() throws IOException {
        await(new NbdRequest(Command.FLUSH, 0, 0), NO_DATA);
    }

    /** Asks what reads as zeros; the server may tell of a beginning of it alone. */
    void status(long offset, int length, NbdRequest.Extents extents) throws IOException {
        await(NbdRequest.status(offset, length, extents), NO_DATA);
    }

    private void await(NbdRequest request, ByteBuffer data) throws IOException {
        long cookie = cookies.incrementAndGet();
        try {
            replies.pending().put(cookie, request);
            send(request, cookie, data);
            // The reader ends what takes longer; it is given the time for that.
            request.answered().get(2 * limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw broken(failure == null ? socket.silent() : failure);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(address + ": interrupted", e);
        } finally {
            request.abandon();
        }
        if (request.error() != 0) {
            throw new LinuxException("NBD " + request.command(), request.error(),
                    address.toString());
        }
    }

    private void send(NbdRequest request, long cookie, ByteBuffer data)
            throws IOException, InterruptedException {
        ByteBuffer header = ByteBuffer.allocate(REQUEST_BYTES).putInt(REQUEST).putShort((short) 0)
                .putShort(request.command().number()).putLong(cookie)
                .putLong(request.offset()).putInt(request.length()).flip();
        if (!sending.tryLock(limit.toNanos(), TimeUnit.NANOSECONDS)) {
            throw broken(fail(socket.silent()));
        }
        try {
            if (failure != null) {
                throw broken(failure);
            }
            socket.write(header, data);
        } catch (IOException e) {
            throw broken(fail(e));
        } finally {
            sending.unlock();
        }
    }

    private IOException broken(IOException why) {
        return new IOException("the NBD server of " + address + " is lost: " + why.getMessage(),
                why);
    }

    private void read() {
        try {
            while (failure == null) {
                if (socket.awaitInput(LOOK)) {
                    replies.next();
                }
                if (replies.pending().values().stream()
                        .anyMatch(one -> socket.isPastLimit(one.since()))) {
                    throw socket.silent();
                }
            }
        } catch (IOException e) {
            fail(e);
        } catch (RuntimeException | Error e) {
            fail(new IOException(e.toString(), e));
        } finally {
            replies.pending().values().forEach(one ->
                    one.answered().completeExceptionally(new IOException("over")));
        }
    }

    private synchronized IOException fail(IOException e) {
        failure = failure == null ? e : failure;
        socket.close();
        return failure;
    }

    /** Takes leave of the server and ends the connection. Idempotent; no call may be under way. */
    @Override
    public void close() {
        try {
            if (failure == null) {
                send(new NbdRequest(Command.DISC, 0, 0), 0, NO_DATA);
            }
        } catch (IOException e) {
            // It is over anyway.
            fail(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            fail(new IOException("it was closed"));
        }
    }
}
