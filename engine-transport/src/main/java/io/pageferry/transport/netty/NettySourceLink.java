package io.pageferry.transport.netty;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.round.PageSink;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.wire.WireException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A source's link over TCP; made by {@link TransportClient#connect}. */
public final class NettySourceLink extends NettyLink implements SourceLink {
    private final TransportClient client;
    private final InetSocketAddress address;
    private final CompletableFuture<Void> opening = new CompletableFuture<>();
    private final SourcePages pages = new SourcePages(this);
    private final Map<FrameConnection, SourcePages.Lane> lanes = new ConcurrentHashMap<>();
    private final AtomicInteger missing = new AtomicInteger(Integer.MAX_VALUE);
    private volatile Message.Welcome welcome;

    NettySourceLink(TransportClient client, InetSocketAddress address) {
        super(new FrameConnection(client.options(), true));
        this.client = client;
        this.address = address;
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
        int window = Math.min(granted.window(), client.options().maxWindow());
        missing.set(granted.channels());
        for (SourcePages.Lane lane : pages.open(granted, window)) {
            FrameConnection connection = new FrameConnection(client.options(), true);
            connection.hand(this);
            lane.use(connection);
            lanes.put(connection, lane);
            if (add(connection)) {
                client.open(connection, address);
            }
        }
    }

    @Override
    public boolean channelsReady() {
        return missing.get() == 0;
    }

    long nanoTime() {
        return client.options().clock().nanoTime();
    }

    @Override
    public PageSink pages() {
        return pages;
    }

    @Override
    void freed() {
        pages.close();
    }

    // --- on IO threads

    @Override
    public void ready(FrameConnection connection) {
        SourcePages.Lane lane = lanes.get(connection);
        if (lane == null) {
            connection.settled();
            opening.complete(null);
        } else {
            connection.sendNow(new Message.ChannelHello(
                    welcome.token(), welcome.generation(), lane.channel()));
        }
    }

    @Override
    boolean dataMessage(FrameConnection connection, Message message) throws WireException {
        SourcePages.Lane lane = lanes.get(connection);
        switch (message) {
            case Message.Ack ack -> lane.acknowledged(ack, nanoTime());
            case Message.ChannelReady granted -> {
                if (granted.channel() != lane.channel() || !lane.first()
                        || granted.generation() != welcome.generation()) {
                    throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "channel",
                            granted + " for channel " + lane.channel());
                }
                connection.settled();
                missing.decrementAndGet();
            }
            default -> throw misplaced(message.getClass().getSimpleName());
        }
        return true;
    }

    @Override
    public void ended(FrameConnection connection, ErrorCode code, String reason) {
        super.ended(connection, code, reason);
        opening.completeExceptionally(new TransportException(code, reason, null));
    }
}
