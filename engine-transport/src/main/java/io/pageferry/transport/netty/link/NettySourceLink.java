package io.pageferry.transport.netty.link;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.round.PageSink;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.io.ChannelSetup;
import io.pageferry.transport.netty.io.ConnectionRole;
import io.pageferry.transport.netty.io.FrameConnection;
import io.pageferry.transport.wire.WireException;
import java.net.SocketAddress;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A source's link over TCP or a unix socket; made by {@link TransportClient#connect}. */
public final class NettySourceLink extends NettyLink implements SourceLink {
    private final ChannelSetup setup;
    private final TransportOptions options;
    private final SocketAddress address;
    private final CompletableFuture<Void> opening = new CompletableFuture<>();
    private final Map<FrameConnection, SourceChannel> channels = new ConcurrentHashMap<>();
    private final AtomicInteger missing = new AtomicInteger(Integer.MAX_VALUE);
    private final SourcePages pages;
    private volatile Message.Welcome welcome;

    NettySourceLink(ChannelSetup setup, SocketAddress address) {
        super(FrameConnection.outgoing(setup));
        this.setup = setup;
        this.options = setup.options();
        this.address = address;
        this.pages = new SourcePages(this::isUp, this::channelsReady, options.clock());
    }

    CompletableFuture<Void> opening() {
        return opening;
    }

    @Override
    public void openChannels(Message.Welcome granted) {
        if (welcome != null) {
            throw new IllegalStateException("the channels were opened before");
        }
        welcome = granted;
        missing.set(granted.channels());
        int window = Math.min(granted.window(), options.maxWindow());
        SourceChannel[] opened = new SourceChannel[granted.channels()];
        for (int i = 0; i < opened.length; i++) {
            FrameConnection connection = FrameConnection.outgoing(setup);
            listenTo(connection);
            opened[i] = new SourceChannel(granted, i, window, connection);
            channels.put(connection, opened[i]);
        }
        pages.use(opened);
        for (SourceChannel channel : opened) {
            if (add(channel.connection())) {
                channel.connection().open(address);
            }
        }
    }

    @Override
    public boolean channelsReady() {
        return missing.get() == 0;
    }

    @Override
    public PageSink pages() {
        return pages;
    }

    @Override
    void freeSlots() {
        channels.values().forEach(SourceChannel::close);
    }

    // --- on IO threads

    @Override
    void ready(FrameConnection connection) {
        SourceChannel channel = channels.get(connection);
        if (channel == null) {
            connection.identified(ConnectionRole.CONTROL);
            opening.complete(null);
        } else {
            connection.sendNow(new Message.ChannelHello(
                    welcome.token(), welcome.generation(), channel.channel()));
        }
    }

    @Override
    boolean dataMessage(FrameConnection connection, Message message) throws WireException {
        SourceChannel channel = channels.get(connection);
        switch (message) {
            case Message.Ack ack when connection.role() == ConnectionRole.PAGES ->
                    channel.acknowledged(ack, options.clock().nanoTime());
            case Message.ChannelReady granted
                    when connection.role() == ConnectionRole.UNDECIDED -> {
                channel.checkGranted(granted);
                connection.identified(ConnectionRole.PAGES);
                missing.decrementAndGet();
            }
            default -> throw connection.misplaced(message);
        }
        return true;
    }

    @Override
    void ended(FrameConnection connection, ErrorCode code, String reason) {
        super.ended(connection, code, reason);
        opening.completeExceptionally(new TransportException(code, reason, null));
    }
}
