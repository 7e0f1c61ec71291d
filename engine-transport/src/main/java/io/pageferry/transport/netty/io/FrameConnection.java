package io.pageferry.transport.netty.io;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.tls.TlsGate;
import io.pageferry.transport.netty.tls.TlsIdentity;
import io.pageferry.transport.wire.MessageCodec;
import io.pageferry.transport.wire.Preamble;
import io.pageferry.transport.wire.WireException;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One connection: preamble, frames out, heartbeats, and its end. Everything runs on the
 * connection's IO thread, unless "any thread" is noted at a method.
 */
public final class FrameConnection {
    /** Messages that wait for the socket; of the longest ones, 8 MiB of device state. */
    public static final int QUEUE = 32;

    private final ChannelSetup setup;
    private final TransportOptions options;
    private final EventLoop loop;
    private final boolean client;
    private final FrameDecoder decoder = new FrameDecoder(new Incoming());
    private final FrameWriter writer;
    private final Greeting greeting;
    private final ConnectionTimers timers;
    private final Runnable drain = this::drain;
    private final AtomicBoolean draining = new AtomicBoolean();
    private volatile boolean paused;

    // The IO thread's.
    private ConnectionState state = ConnectionState.OPENING;
    private ConnectionRole role = ConnectionRole.UNDECIDED;
    private Channel channel;
    private ConnectionListener listener;

    private FrameConnection(ChannelSetup setup, EventLoop loop, boolean client) {
        this.setup = setup;
        this.options = setup.options();
        this.loop = loop;
        this.client = client;
        this.writer = new FrameWriter(options.clock());
        this.greeting = new Greeting(client, options.security().secret(), writer);
        this.timers = new ConnectionTimers(options, loop, this::abort);
    }

    /** {@return one that {@link #open} will open, over a channel of this setup} */
    public static FrameConnection outgoing(ChannelSetup setup) {
        return new FrameConnection(setup, setup.nextLoop(), true);
    }

    /**
     * Makes one of a channel that was accepted.
     *
     * @param setup accepted the channel
     * @param loop  the channel's
     * @return the connection, whose decoder belongs into the channel
     */
    public static FrameConnection accepted(ChannelSetup setup, EventLoop loop) {
        return new FrameConnection(setup, loop, false);
    }

    /**
     * Sets the listener from now on; before it opens, or on the IO thread.
     *
     * @param next receives the events
     */
    public void tell(ConnectionListener next) {
        listener = next;
    }

    /** {@return what cuts the bytes of this connection} */
    public FrameDecoder decoder() {
        return decoder;
    }

    /**
     * Begins to connect; the listener is notified of the result. Any thread.
     *
     * @param address where to
     */
    public void open(SocketAddress address) {
        setup.connect(address, loop, decoder, this::abort);
    }

    private void open(ConnectionState next) throws WireException {
        state = next;
        if (next == ConnectionState.READY) {
            listener.ready();
            drain();
        }
    }

    /** Takes what the decoder delivers. */
    private final class Incoming implements FrameDecoder.Receiver {
        @Override
        public void opened(Channel opened) {
            channel = opened;
            if (state == ConnectionState.ENDED) {
                opened.close();
                return;
            }
            writer.open(opened);
            timers.start(FrameConnection.this::tick);
            if (client) {
                greeting.sayPreamble();
            }
        }

        @Override
        public void heard() {
            timers.heard();
        }

        @Override
        public void preamble(Preamble peer) throws WireException {
            open(state.opened(greeting.preamble(peer)));
        }

        @Override
        public boolean message(Message message) throws WireException {
            if (message instanceof Message.Heartbeat) {
                return true;
            }
            if (state == ConnectionState.PROVING && !(message instanceof Message.Failure)) {
                open(state.proved(greeting.message(message)));
                return true;
            }
            if (message instanceof Message.Proving) {
                throw greeting.unwanted().orElseGet(() -> misplaced(message));
            }
            boolean taken = listener.message(message);
            paused = !taken;
            channel.config().setAutoRead(taken);
            if (taken && message instanceof Message.Failure failure) {
                tellEnded(failure.code(), "the peer says: " + failure.reason());
                endOutput(state.finish(), null, options.closing());
            }
            return taken;
        }

        @Override
        public WireException unexpectedBatch() {
            return role.misplaced("BATCH", state);
        }

        @Override
        public void grows(int bytes) {
            listener.grows(bytes);
        }

        @Override
        public void writable() {
            drain();
        }

        @Override
        public void broken(WireException violation) {
            if (!client && violation.field().equals(Preamble.TLS)) {
                // By it a source with TLS knows that this is Pageferry without.
                greeting.sayPreamble();
            }
            tellEnded(violation.code(), violation.getMessage());
            endOutput(state.finish(), new Message.Failure(violation.code(),
                    violation.getMessage()), options.closing());
        }

        @Override
        public void left() {
            timers.stop();
            state = ConnectionState.ENDED;
            listener.left();
        }

        @Override
        public void inputEnded(String why) {
            tellEnded(ErrorCode.LINK_LOST, why);
            endOutput(state.inputEnded(), null, options.closing());
        }
    }

    /**
     * Sets what the connection is for, which lifts the time limit of the handshake.
     *
     * @param known its role
     */
    public void identified(ConnectionRole known) {
        role = known;
        timers.endHandshake();
    }

    /** {@return what the connection is for} */
    public ConnectionRole role() {
        return role;
    }

    /** {@return who is at the other end, once preambles were exchanged; empty without TLS} */
    public Optional<TlsIdentity> identity() {
        return TlsGate.identityOf(channel);
    }

    /**
     * Makes it a connection of pages that come.
     *
     * @param batches where they go
     */
    public void receivePages(FrameDecoder.Batches batches) {
        identified(ConnectionRole.PAGES);
        decoder.deliverTo(batches);
    }

    /**
     * Makes the error of a message that does not fit, and names message, role and state.
     *
     * @param message what came
     * @return the error
     */
    public WireException misplaced(Message message) {
        return role.misplaced(ConnectionRole.frameOf(message), state);
    }

    /** {@return for how long the peer has sent nothing, heartbeats included; any thread} */
    public long silentNanos() {
        return timers.silentNanos();
    }

    private void tick() {
        timers.checkSilence(!decoder.isPaused(), state != ConnectionState.OPENING);
        long now = options.clock().nanoTime();
        if (state == ConnectionState.READY && channel.isWritable()
                && now - writer.wroteNanos() >= options.heartbeat().toNanos()) {
            sendNow(new Message.Heartbeat(now));
        }
    }

    /**
     * Queues a frame; any thread.
     *
     * @param frame made by {@link MessageCodec#encode}
     * @return false when there is no room
     */
    public boolean send(byte[] frame) {
        return writer.offer(frame) && (draining.getAndSet(true) || run(drain));
    }

    /** {@return for how many frames {@link #send} has room now; any thread} */
    public int room() {
        return writer.room();
    }

    /**
     * Runs something on the IO thread; any thread.
     *
     * @param task what to run
     * @return false when that thread has ended
     */
    public boolean run(Runnable task) {
        try {
            loop.execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    private void drain() {
        draining.set(false);
        if (state == ConnectionState.READY) {
            writer.writeQueued();
        }
    }

    /**
     * Sends a message before all that are queued; of acknowledgements the newest that the socket
     * takes.
     *
     * @param message what to send
     */
    public void sendNow(Message message) {
        if (state.sends(message.getClass().getSimpleName())) {
            writer.writeNow(message);
        }
    }

    /**
     * Sends a batch from where it lies; the socket holds the slot until it is written.
     *
     * @param slot whose frame is whole, but for number and seal
     */
    public void sendSlot(FrameSlots.Slot slot) {
        if (state.sends("Batch")) {
            writer.writeSlot(slot);
        }
    }

    /** Reads on after a message had no room; any thread. */
    public void resume() {
        if (paused) {
            paused = false;
            run(decoder::proceed);
        }
    }

    /**
     * Sends what is queued, half-closes and closes; any thread. The listener gets nothing more.
     *
     * @param notReading runs once nothing that comes is looked at any more
     */
    public void finish(Runnable notReading) {
        boolean runs = run(() -> {
            timers.stop();
            endOutput(state.finish(), null, options.closing());
            notReading.run();
        });
        if (!runs) {
            notReading.run();
        }
    }

    /**
     * Sends what is queued and the reason, half-closes, but still takes what comes, for a time; any
     * thread.
     *
     * @param last why, or null
     * @param time how long
     */
    public void linger(Message.Failure last, Duration time) {
        run(() -> endOutput(state.linger(), last, time));
    }

    /** Closes at once, without a word to the peer; any thread. */
    public void drop(String why) {
        run(() -> abort(why));
    }

    private void tellEnded(ErrorCode code, String reason) {
        if (state.isHeard()) {
            timers.stop();
            listener.ended(code, reason);
        }
    }

    /** Closes at once, with no reason to the peer. */
    private void abort(String why) {
        tellEnded(ErrorCode.LINK_LOST, why);
        state = ConnectionState.ENDED;
        decoder.discard();
        if (channel != null) {
            channel.close();
        }
    }

    /** Goes to a state in which no frame follows the last one, and ends the output behind that. */
    private void endOutput(ConnectionState next, Message.Failure last, Duration time) {
        if (channel == null) {
            state = ConnectionState.ENDED;
            return;
        }
        ConnectionState before = state;
        state = next;
        if (!next.isHeard()) {
            decoder.discard();
            channel.config().setAutoRead(true);
        }
        if (next == ConnectionState.ENDED) {
            channel.close();
        } else if (before.isOutputOpen()) {
            if (before == ConnectionState.READY) {
                writer.writeRest();
            }
            if (before != ConnectionState.OPENING && last != null) {
                writer.write(MessageCodec.encode(last));
            }
            channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(done -> flushed());
            ScheduledFuture<?> late = loop.schedule(
                    () -> channel.close(), time.toNanos(), TimeUnit.NANOSECONDS);
            channel.closeFuture().addListener(closed -> late.cancel(false));
        }
    }

    private void flushed() {
        state = state.flushed();
        if (state == ConnectionState.ENDED) {
            channel.close();
        } else {
            setup.endOutput(channel);
        }
    }
}
