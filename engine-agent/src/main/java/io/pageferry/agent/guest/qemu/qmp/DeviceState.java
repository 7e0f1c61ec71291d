package io.pageferry.agent.guest.qemu.qmp;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pageferry.agent.guest.qemu.qmp.QmpException.Kind;
import java.io.IOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;

/**
 * Everything of a QEMU guest that is not shared RAM (vCPUs, devices, ROMs, video memory), as
 * QEMU's own migration stream through a UNIX socket. A {@code fd:} would need a descriptor to be
 * passed and {@code exec:} a fork, which costs 3 to 5 ms of downtime.
 *
 * <p>About 320 KB for one vCPU without devices, and the video memory on top where there is a
 * VGA: 16 MiB by default.
 */
public final class DeviceState {
    /** More than any device state seen: without x-ignore-shared it would be the guest's RAM. */
    public static final long BYTE_LIMIT = 512L << 20;
    /** First pause between two looks at query-migrate; doubles up to {@link #POLL_MAX_NANOS}. */
    private static final long POLL_MIN_NANOS = 300_000;
    private static final long POLL_MAX_NANOS = 500_000;
    private static final long ACCEPT_LOOK_NANOS = 100_000_000;
    private static final int CHUNK = 256 << 10;

    /** Takes the state's bytes in order; an exception ends the save. */
    @FunctionalInterface
    public interface Sink {
        /** Consumes the buffer before it returns. */
        void accept(ByteBuffer chunk) throws IOException;
    }

    private DeviceState() {
    }

    /**
     * Saves the state into a stream; see {@link #save(QemuControl, Path, Sink, Duration)}.
     *
     * @param socket a path that is free; made and removed here
     * @param out receives the bytes; not closed here
     * @param limit for the whole
     * @return bytes saved
     * @throws IOException where QEMU failed, the limit is over, or what the stream threw
     */
    public static long save(QemuControl qemu, Path socket, OutputStream out, Duration limit)
            throws IOException {
        byte[] copy = new byte[CHUNK];
        return save(qemu, socket, chunk -> {
            int length = chunk.remaining();
            chunk.get(copy, 0, length);
            out.write(copy, 0, length);
        }, limit);
    }

    /**
     * Saves the state of a guest that is stopped and prepared. Afterwards the guest is
     * postmigrate, whether this returns or throws: {@link QemuControl#cont()} takes it back,
     * and it can be saved again later.
     *
     * @param socket a path that is free; made and removed here
     * @param limit for the whole
     * @return bytes saved, at most {@link #BYTE_LIMIT}
     * @throws QmpException where QEMU failed, or the limit is over
     * @throws IOException what the sink threw
     */
    public static long save(QemuControl qemu, Path socket, Sink sink, Duration limit)
            throws IOException {
        long deadline = System.nanoTime() + limit.toNanos();
        QemuControl.uri(socket);
        boolean completed = false;
        boolean started = false;
        try (ServerSocketChannel server = qemu.listen(socket);
                Selector selector = Selector.open()) {
            server.configureBlocking(false);
            server.register(selector, SelectionKey.OP_ACCEPT);
            started = true;
            qemu.migrate(socket);
            long bytes = receive(qemu, server, selector, sink, deadline);
            awaitCompleted(qemu, deadline);
            completed = true;
            return bytes;
        } finally {
            Files.deleteIfExists(socket);
            if (started && !completed) {
                cancel(qemu);
            }
        }
    }

    private static void cancel(QemuControl qemu) {
        try {
            qemu.cancelMigration();
            long deadline = System.nanoTime() + QmpClient.COMMAND_LIMIT.toNanos();
            // Not before it is over does QEMU accept a cont or another save.
            while (qemu.migration().active() && System.nanoTime() - deadline < 0) {
                LockSupport.parkNanos(POLL_MIN_NANOS);
            }
        } catch (QmpException e) {
            // The failure that led here is the one worth telling.
        }
    }

    /** Looks at QEMU now and then: one that failed or ended will never connect. */
    private static SocketChannel accept(QemuControl qemu, ServerSocketChannel server,
            Selector selector, long deadline) throws IOException {
        while (true) {
            long slice = System.nanoTime() + ACCEPT_LOOK_NANOS;
            boolean last = slice - deadline > 0;
            try {
                await(selector, last ? deadline : slice, "save");
            } catch (QmpException e) {
                QemuControl.Migration now = qemu.migration();
                if (last || !now.active()) {
                    throw now.desc().isEmpty() ? e : failed(now);
                }
            }
            SocketChannel stream = server.accept();
            if (stream != null) {
                server.keyFor(selector).cancel();
                return stream;
            }
        }
    }

    private static QmpException failed(QemuControl.Migration now) {
        return QmpException.of(Kind.PROTOCOL, "QEMU's migration " + now.status()
                + (now.desc().isEmpty() ? "" : ": " + now.desc()));
    }

    private static long receive(QemuControl qemu, ServerSocketChannel server, Selector selector,
            Sink sink, long deadline) throws IOException {
        SocketChannel stream = null;
        try {
            ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
            long bytes = 0;
            stream = accept(qemu, server, selector, deadline);
            stream.configureBlocking(false);
            stream.register(selector, SelectionKey.OP_READ);
            while (true) {
                await(selector, deadline, "save");
                int count = stream.read(chunk.clear());
                if (count < 0) {
                    return bytes;
                }
                bytes += count;
                if (bytes > BYTE_LIMIT) {
                    throw QmpException.of(Kind.PROTOCOL, "the device state is larger than "
                            + BYTE_LIMIT + " bytes: is some of the guest's RAM not share=on?");
                }
                if (count > 0) {
                    sink.accept(chunk.flip());
                }
            }
        } finally {
            if (stream != null) {
                stream.close();
            }
        }
    }

    /**
     * Gives a target that was started with {@code -incoming defer} the settings for a load;
     * {@link #disarm} takes them back as long as it waits.
     *
     * @param wanted capabilities to be on, all others are off
     */
    public static void arm(QemuControl qemu, Set<String> wanted) throws QmpException {
        // QEMU would announce itself at the load, while the source can still roll back.
        set(qemu, wanted, 0);
    }

    /**
     * Makes the settings of a target that waits what they were.
     *
     * @param capabilities   before {@link #arm}
     * @param announceRounds likewise
     */
    public static void disarm(QemuControl qemu, Map<String, Boolean> capabilities,
            long announceRounds) throws QmpException {
        Set<String> on = new TreeSet<>(capabilities.keySet());
        on.removeIf(name -> !capabilities.get(name));
        set(qemu, on, announceRounds);
    }

    private static void set(QemuControl qemu, Set<String> on, long announceRounds)
            throws QmpException {
        List<QmpClient.Command> commands = QemuControl.only(qemu.capabilities(), on);
        commands.add(QemuControl.announceRounds(announceRounds));
        qemu.qmp().execute(commands, QmpClient.COMMAND_LIMIT);
    }

    /**
     * Has a target that was armed listen for its state on a UNIX socket: once, and for good. Also
     * sends {@code stop}, so that one without {@code -S} does not start on its own, which could not
     * be taken back either.
     *
     * @param socket where QEMU listens, absolute; QEMU replaces what is there
     */
    public static void expect(QemuControl qemu, Path socket) throws QmpException {
        qemu.qmp().execute(List.of(new QmpClient.Command("stop", null),
                new QmpClient.Command("migrate-incoming", JsonNodeFactory.instance.objectNode()
                        .put("uri", QemuControl.uri(socket)))), QemuControl.CONT_LIMIT);
    }

    /**
     * Loads a state into a target that expects it ({@link #expect}) and whose
     * RAM is complete. Afterwards the guest is paused and has not run.
     *
     * <p>A QEMU whose memory or devices contradict the state ends itself: CLOSED, and its reason
     * is in its own log. A target that was loaded cannot be loaded again.
     *
     * @param socket where QEMU listens
     * @param state the bytes that were saved, from position to limit; not changed
     * @param limit for the whole
     */
    public static void load(QemuControl qemu, Path socket, ByteBuffer state, Duration limit)
            throws IOException {
        long deadline = System.nanoTime() + limit.toNanos();
        ByteBuffer left = state.duplicate();
        try (SocketChannel stream = SocketChannel.open(StandardProtocolFamily.UNIX);
                Selector selector = Selector.open()) {
            stream.configureBlocking(false);
            stream.connect(UnixDomainSocketAddress.of(socket.toAbsolutePath()));
            stream.register(selector, SelectionKey.OP_WRITE);
            while (left.hasRemaining()) {
                await(selector, deadline, "load");
                stream.write(left);
            }
        } catch (QmpException e) {
            throw e;
        } catch (IOException e) {
            // QEMU hung up: if it lives, its own status gives the reason.
            awaitCompleted(qemu, deadline);
            throw e;
        } finally {
            Files.deleteIfExists(socket);
        }
        RunState after = awaitCompleted(qemu, deadline);
        if (after != RunState.PAUSED) {
            throw QmpException.of(Kind.PROTOCOL, "the loaded guest is " + after
                    + " where it should be paused");
        }
    }

    private static void await(Selector selector, long deadline, String what) throws IOException {
        long left = deadline - System.nanoTime();
        // Zero would mean for ever; an interrupt makes select return at once, so it is put back.
        boolean interrupted = false;
        if (left > 0) {
            interrupted = Thread.interrupted();
            selector.select(Math.max(1, left / 1_000_000));
            selector.selectedKeys().clear();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (left <= 0) {
            throw QmpException.of(Kind.TIMEOUT, "QEMU did not " + what
                    + " its state within the limit");
        }
    }

    /** Returns what the guest is afterwards. */
    private static RunState awaitCompleted(QemuControl qemu, long deadline) throws QmpException {
        long pause = POLL_MIN_NANOS;
        while (true) {
            var both = qemu.progress();
            QemuControl.Migration now = both.getKey();
            if (now.status().equals("completed")) {
                return both.getValue().state();
            }
            if (now.status().equals("failed") || now.status().equals("cancelled")) {
                throw failed(now);
            }
            if (System.nanoTime() - deadline > 0) {
                throw QmpException.of(Kind.TIMEOUT, "QEMU's migration is still " + now.status()
                        + " at the end of the limit");
            }
            LockSupport.parkNanos(pause);
            pause = Math.min(2 * pause, POLL_MAX_NANOS);
        }
    }
}
