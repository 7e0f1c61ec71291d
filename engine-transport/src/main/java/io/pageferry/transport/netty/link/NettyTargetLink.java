package io.pageferry.transport.netty.link;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.transport.netty.io.FrameConnection;
import io.pageferry.transport.netty.tls.TlsIdentity;
import io.pageferry.transport.wire.WireException;
import java.util.Arrays;
import java.util.Collection;
import java.util.Optional;
import java.util.UUID;

/** A target's link over TCP or a unix socket; {@link TransportServer#pollAccepted} gives it. */
public final class NettyTargetLink extends NettyLink implements TargetLink {
    private final Collection<NettyTargetLink> sessions;
    private final Optional<String> peer;
    private volatile RegionTable regions;
    private volatile TargetChannel[] channels = {};
    private volatile Message.Welcome welcome;

    /**
     * Takes a control connection over, on its IO thread, with its first message.
     *
     * @param sessions where the link is while channels may attach to it; safe for any thread
     */
    NettyTargetLink(Collection<NettyTargetLink> sessions, FrameConnection control, Message first)
            throws WireException {
        super(control);
        this.sessions = sessions;
        this.peer = control.identity().map(TlsIdentity::text);
        this.regions = first instanceof Message.Hello hello ? hello.guest().regions() : null;
        message(control, first);
    }

    @Override
    public Optional<String> peerIdentity() {
        return peer;
    }

    @Override
    public void acceptChannels(Message.Welcome granted) {
        if (welcome != null || regions == null) {
            throw new IllegalStateException("channels were accepted before, or nothing was asked");
        }
        TargetChannel[] made = new TargetChannel[granted.channels()];
        Arrays.setAll(made, channel -> new TargetChannel(granted, channel, regions));
        channels = made;
        welcome = granted;
        sessions.add(this);
    }

    @Override
    public void resumeChannels(Message.Welcome granted, RegionTable named) {
        regions = named;
        acceptChannels(granted);
    }

    @Override
    public boolean hasChannels() {
        return !data.isEmpty();
    }

    @Override
    int pollBatches(LinkHandler handler) {
        int delivered = 0;
        for (TargetChannel channel : channels) {
            PageBatch batch;
            while (!isClosed() && handler.takesBatches()
                    && (batch = channel.poll()) != null) {
                handler.onBatch(batch);
                delivered++;
            }
        }
        return delivered;
    }

    @Override
    public void applied(PageBatch batch) {
        if (!isClosed()) {
            channels[batch.channel()].applied(batch);
        }
    }

    @Override
    public void close() {
        sessions.remove(this);
        super.close();
    }

    @Override
    void freeSlots() {
        for (TargetChannel channel : channels) {
            channel.close();
        }
    }

    // --- on IO threads

    boolean holds(UUID token) {
        return isUp() && Message.sameToken(welcome.token(), token);
    }

    /** Attaches a data connection, on its IO thread, which showed our token. */
    void attach(FrameConnection connection, Message.ChannelHello hello) throws WireException {
        if (hello.generation() != welcome.generation()) {
            throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "generation",
                    hello.generation() + ", the session is at " + welcome.generation());
        }
        if (hello.channel() >= channels.length || !channels[hello.channel()].take(connection)) {
            throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "channel",
                    hello.channel() + " was not granted or has a connection already");
        }
        if (!add(connection)) {
            throw new WireException(ErrorCode.LINK_LOST, "token", "its session has ended");
        }
        listenTo(connection);
        connection.receivePages(channels[hello.channel()]);
        connection.sendNow(new Message.ChannelReady(hello.generation(), hello.channel()));
    }

    @Override
    boolean dataMessage(FrameConnection connection, Message message) throws WireException {
        throw connection.misplaced(message);
    }
}
