package io.pageferry.transport.netty;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.socket.DuplexChannel;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.transport.wire.FrameHeader;
import io.pageferry.transport.wire.FrameVerifier;
import io.pageferry.transport.wire.MessageCodec;
import io.pageferry.transport.wire.Preamble;
import io.pageferry.transport.wire.WireException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One TCP connection: preamble, frames out, heartbeats, and its end. Everything runs on the
 * connection's IO thread, but for {@link #send}, {@link #run}, {@link #resume} and
 * {@link #finish}, which any thread may call.
 */
final class FrameConnection {
    /** Messages that wait for the socket; of the longest ones, 8 MiB of device state. */
    static final int QUEUE = 32;

    /** Who is told of what happens on a connection, on its IO thread. */
    interface Owner {
        /** The preambles were exchanged: messages may go. */
        void ready(FrameConnection connection);

        /** A message came. False when there is no room now: it is asked again. */
        boolean message(FrameConnection connection, Message message) throws WireException;

        /** Nothing more will come. Once. */
        void ended(FrameConnection connection, ErrorCode code, String reason);
    }

    /** Where the batches of a data connection go, on its IO thread. */
    interface Batches {
        /** Gives memory for the batch that begins to come. */
        FrameSlots.Slot slot() throws WireException;

        /** Takes a batch whose directory has the checksum that its frame says. */
        void arrived(FrameSlots.Slot slot, FrameVerifier frame) throws WireException;
    }

    private final TransportOptions options;
    private final boolean client;
    private final ArrayBlockingQueue<byte[]> queue = new ArrayBlockingQueue<>(QUEUE);
    private final AtomicBoolean draining = new AtomicBoolean();
    private final FrameHeader.Sealer sealer = new FrameHeader.Sealer();
    private final Runnable drain = this::drain;
    private volatile Channel channel;
    private volatile boolean paused;
    private volatile boolean unwanted;
    private FrameDecoder decoder;
    private Owner owner;
    private Batches batches;
    private boolean ready;
    private boolean finishing;
    private boolean flushed;
    private boolean deaf;
    private boolean ended;
    private volatile long heardNanos;
    private long wroteNanos;
    private ScheduledFuture<?> ticking;
    private ScheduledFuture<?> deadline;

    FrameConnection(TransportOptions options, boolean client) {
        this.options = options;
        this.client = client;
    }

    /** Says whom to tell; before it opens, or on the IO thread. */
    void hand(Owner next) {
        owner = next;
    }

    void attach(Batches to) {
        batches = to;
    }

    Batches batches() throws WireException {
        if (batches == null) {
            throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "frame type",
                    "a batch on a connection that is no data channel");
        }
        return batches;
    }

    boolean isAttached() {
        return batches != null;
    }

    // --- from the decoder

    void opened(Channel opened, FrameDecoder reader) {
        decoder = reader;
        channel = opened;
        if (unwanted) {
            ended = true;
            opened.close();
            return;
        }
        expect(options.handshake(), "preamble and first message");
        heard();
        wroteNanos = heardNanos;
        long half = Math.max(1, options.heartbeat().toNanos() / 2);
        ticking = opened.eventLoop().scheduleAtFixedRate(
                this::tick, half, half, TimeUnit.NANOSECONDS);
        if (client) {
            write(Preamble.OURS.encode());
        }
    }

    /** For how long the peer has said nothing, heartbeats included. Any thread. */
    long silentNanos() {
        return options.clock().nanoTime() - heardNanos;
    }

    void heard() {
        heardNanos = options.clock().nanoTime();
    }

    void preamble(Preamble peer) throws WireException {
        if (!client) {
            write(Preamble.OURS.encode());
        }
        Preamble.OURS.agree(peer);
        ready = true;
        owner.ready(this);
        drain();
    }

    boolean message(Message message) throws WireException {
        if (message instanceof Message.Heartbeat) {
            return true;
        }
        boolean taken = owner.message(this, message);
        paused = !taken;
        channel.config().setAutoRead(taken);
        if (taken && message instanceof Message.Failure failure) {
            end(failure.code(), "the peer says: " + failure.reason());
            windUp(null, true, options.closing());
        }
        return taken;
    }

    void broken(WireException violation) {
        end(violation.code(), violation.getMessage());
        Message.Failure failure = ready
                ? new Message.Failure(violation.code(), violation.getMessage()) : null;
        windUp(failure, true, options.closing());
    }

    void inputEnded(String why) {
        deaf = true;
        end(ErrorCode.LINK_LOST, why);
        if (flushed) {
            channel.close();
        } else {
            // The peer may only have half-closed: our last word still goes out.
            windUp(null, true, options.closing());
        }
    }

    /** It could not even be opened. */
    void unreached(String why) {
        end(ErrorCode.LINK_LOST, why);
    }

    private void end(ErrorCode code, String reason) {
        if (!ended) {
            ended = true;
            stopTicking();
            settled();
            owner.ended(this, code, reason);
        }
    }

    // --- time

    /** Sets a time limit for what the peer owes; {@link #settled} lifts it. */
    void expect(Duration time, String what) {
        deadline = channel.eventLoop().schedule(() -> {
            end(ErrorCode.LINK_LOST, "no " + what + " within " + time.toMillis() + " ms");
            channel.close();
        }, time.toNanos(), TimeUnit.NANOSECONDS);
    }

    void settled() {
        if (deadline != null) {
            deadline.cancel(false);
        }
    }

    private void stopTicking() {
        if (ticking != null) {
            ticking.cancel(false);
        }
    }

    private void tick() {
        long now = options.clock().nanoTime();
        if (decoder.isPaused()) {
            // We do not listen, so silence says nothing of the peer.
            heardNanos = now;
        } else if (now - heardNanos > options.lossAfter().toNanos()) {
            end(ErrorCode.LINK_LOST,
                    "nothing heard for " + options.lossAfter().toMillis() + " ms");
            channel.close();
            return;
        }
        if (ready && now - wroteNanos >= options.heartbeat().toNanos() && channel.isWritable()) {
            sendNow(new Message.Heartbeat(now));
        }
    }

    // --- out

    /** Queues a frame made by {@link MessageCodec#encode}; false when there is no room. */
    boolean send(byte[] frame) {
        if (!queue.offer(frame)) {
            return false;
        }
        return channel == null || draining.getAndSet(true) || run(drain);
    }

    boolean hasRoomForStreams() {
        return queue.remainingCapacity() > QUEUE / 2;
    }

    boolean hasRoom() {
        return queue.remainingCapacity() > 0;
    }

    /** Runs something on the IO thread; false when that has ended. */
    boolean run(Runnable task) {
        try {
            channel.eventLoop().execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    /** Puts what is queued on the socket, as far as that takes it. */
    void drain() {
        draining.set(false);
        byte[] frame = null;
        while (ready && !ended && channel.isWritable() && (frame = queue.poll()) != null) {
            writeFrame(frame);
        }
        channel.flush();
    }

    void sendNow(Message message) {
        writeFrame(MessageCodec.encode(message));
        channel.flush();
    }

    private void writeFrame(byte[] frame) {
        sealer.seal(ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN), 0);
        wroteNanos = options.clock().nanoTime();
        channel.write(Unpooled.wrappedBuffer(frame), channel.voidPromise());
    }

    private void write(ByteBuffer bytes) {
        channel.writeAndFlush(Unpooled.wrappedBuffer(bytes), channel.voidPromise());
    }

    /** Sends a batch from where it lies; the slot's count is raised until it is written. */
    void sendSlot(FrameSlots.Slot slot) {
        if (ended || finishing) {
            return;
        }
        sealer.seal(slot.view, slot.frameAt);
        int end = slot.bodyAt() + FrameHeader.bodyLength(slot.view, slot.frameAt);
        wroteNanos = options.clock().nanoTime();
        slot.bytes.setIndex(slot.frameAt, end).retain();
        channel.writeAndFlush(slot.bytes, channel.voidPromise());
    }

    // --- in again, and the end

    /** Reads on after a message had no room; any thread. */
    void resume() {
        if (paused) {
            paused = false;
            run(() -> decoder.proceed());
        }
    }

    /**
     * Sends what is queued, half-closes and closes; any thread.
     *
     * @param deaf runs once nothing that comes is looked at any more
     */
    void finish(Runnable deaf) {
        unwanted = true;
        boolean runs = channel != null && run(() -> {
            ended = true;
            stopTicking();
            settled();
            windUp(null, true, options.closing());
            deaf.run();
        });
        if (!runs) {
            deaf.run();
        }
    }

    /** Sends what is queued, says why, half-closes, but still takes what comes, for a time. */
    void linger(Message.Failure last, Duration time) {
        run(() -> windUp(last, false, time));
    }

    private void flushed() {
        flushed = true;
        if (deaf) {
            channel.close();
        } else {
            ((DuplexChannel) channel).shutdownOutput();
        }
    }

    private void windUp(Message.Failure last, boolean ignoring, Duration time) {
        if (ignoring) {
            decoder.discard();
            channel.config().setAutoRead(true);
        }
        if (finishing) {
            return;
        }
        finishing = true;
        byte[] frame;
        while (ready && (frame = queue.poll()) != null) {
            writeFrame(frame);
        }
        if (last != null) {
            writeFrame(MessageCodec.encode(last));
        }
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(
                done -> flushed());
        ScheduledFuture<?> late = channel.eventLoop().schedule(
                () -> channel.close(), time.toNanos(), TimeUnit.NANOSECONDS);
        channel.closeFuture().addListener(closed -> late.cancel(false));
    }
}
