package io.pageferry.transport.netty;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.transport.wire.WireException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.UUID;

/** A target's link over TCP; handed out by {@link TransportServer#pollAccepted}. */
public final class NettyTargetLink extends NettyLink implements TargetLink {
    private final TransportServer server;
    private volatile RegionTable regions;
    private volatile TargetChannel[] lanes = {};
    private volatile Message.Welcome welcome;
    private FrameSlots slots;

    /** Takes a control connection over, on its IO thread, with its first message. */
    NettyTargetLink(TransportServer server, FrameConnection control, Message first)
            throws WireException {
        super(control);
        this.server = server;
        this.regions = first instanceof Message.Hello hello ? hello.guest().regions() : null;
        message(control, first);
    }

    @Override
    public void acceptChannels(Message.Welcome granted) {
        if (welcome != null || regions == null) {
            throw new IllegalStateException("channels were accepted before, or nothing was asked");
        }
        int window = granted.window();
        slots = new FrameSlots(granted.channels() * window);
        TargetChannel[] made = new TargetChannel[granted.channels()];
        for (int channel = 0; channel < made.length; channel++) {
            made[channel] = new TargetChannel(granted, channel, regions);
            for (int i = 0; i < window; i++) {
                made[channel].give(slots.slot(channel * window + i));
            }
        }
        lanes = made;
        welcome = granted;
        server.register(this);
    }

    @Override
    public void resumeChannels(Message.Welcome granted, RegionTable named) {
        regions = named;
        acceptChannels(granted);
    }

    @Override
    int pollBatches(LinkHandler handler) {
        int delivered = 0;
        for (TargetChannel lane : lanes) {
            PageBatch batch;
            while (!isClosed() && (batch = lane.poll()) != null) {
                handler.onBatch(batch);
                delivered++;
            }
        }
        return delivered;
    }

    @Override
    public void applied(PageBatch batch) {
        if (!isClosed()) {
            lanes[batch.channel()].applied(batch);
        }
    }

    @Override
    public void close() {
        server.forget(this);
        super.close();
    }

    @Override
    void freed() {
        if (slots != null) {
            slots.close();
        }
    }

    // --- on IO threads

    @Override
    public void ready(FrameConnection connection) {
        // A target learns of a connection when it is ready.
    }

    /** Compares in a time that does not depend on the bytes. */
    boolean holds(UUID token) {
        return isUp() && MessageDigest.isEqual(bytes(welcome.token()), bytes(token));
    }

    private static byte[] bytes(UUID token) {
        return ByteBuffer.allocate(16).putLong(token.getMostSignificantBits())
                .putLong(token.getLeastSignificantBits()).array();
    }

    /** Attaches a data connection, on its IO thread, which showed our token. */
    void attach(FrameConnection connection, Message.ChannelHello hello) throws WireException {
        if (hello.generation() != welcome.generation()) {
            throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "generation",
                    hello.generation() + ", the session is at " + welcome.generation());
        }
        if (hello.channel() >= lanes.length || !lanes[hello.channel()].take(connection)) {
            throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "channel",
                    hello.channel() + " was not granted or has a connection already");
        }
        if (!add(connection)) {
            throw new WireException(ErrorCode.LINK_LOST, "token", "its session has ended");
        }
        connection.hand(this);
        connection.attach(lanes[hello.channel()]);
        connection.sendNow(new Message.ChannelReady(hello.generation(), hello.channel()));
    }

    @Override
    boolean dataMessage(FrameConnection connection, Message message) throws WireException {
        throw misplaced(message.getClass().getSimpleName());
    }
}
