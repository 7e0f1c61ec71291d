package io.pageferry.bench.raw;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The plainest way to move memory with Netty: one connection, NIO, no frames, no checksums, no
 * copies of ours. The sender writes slices of the guest's memory, the receiver has the socket put
 * them where they belong, and answers one byte when all have come.
 */
final class RawNetty implements AutoCloseable {
    private static final int CHUNK = 512 << 10;
    private static final long LIMIT_SECONDS = 60;

    private final MemorySegment source;
    private final MemorySegment target;
    private final EventLoopGroup group =
            new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    private final Channel server;
    private final Channel client;
    private final Sender sender = new Sender();

    RawNetty(MemorySegment source, MemorySegment target) {
        this.source = source;
        this.target = target;
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        server = new ServerBootstrap().group(group).channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        Receiver receiver = new Receiver();
                        channel.config().setRecvByteBufAllocator(receiver.reads());
                        channel.pipeline().addLast(receiver);
                    }
                }).bind(any).syncUninterruptibly().channel();
        client = new Bootstrap().group(group).channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(2 * CHUNK, 4 * CHUNK))
                .handler(sender).connect(server.localAddress()).syncUninterruptibly().channel();
    }

    /** Moves all of the memory once; gives the nanoseconds until the answer came. */
    long move() throws IOException {
        CountDownLatch answered = new CountDownLatch(1);
        long begun = System.nanoTime();
        client.eventLoop().execute(() -> sender.begin(answered));
        try {
            if (!answered.await(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException("raw Netty did not answer in " + LIMIT_SECONDS + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        return System.nanoTime() - begun;
    }

    @Override
    public void close() {
        client.close().syncUninterruptibly();
        server.close().syncUninterruptibly();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /** On the client's IO thread. */
    private final class Sender extends ChannelInboundHandlerAdapter {
        private CountDownLatch answered;
        private long sent;

        void begin(CountDownLatch whenAnswered) {
            answered = whenAnswered;
            sent = 0;
            pump();
        }

        private void pump() {
            while (sent < source.byteSize() && client.isWritable()) {
                long bytes = Math.min(CHUNK, source.byteSize() - sent);
                client.write(Unpooled.wrappedBuffer(
                        source.asSlice(sent, bytes).asByteBuffer()), client.voidPromise());
                sent += bytes;
            }
            client.flush();
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            if (context.channel().isWritable() && answered != null) {
                pump();
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ((ByteBuf) message).release();
            answered.countDown();
        }
    }

    /** On the server's IO thread. */
    private final class Receiver extends ChannelInboundHandlerAdapter {
        private long received;

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            received += bytes.readableBytes();
            bytes.release();
            if (received == target.byteSize()) {
                received = 0;
                context.writeAndFlush(Unpooled.wrappedBuffer(new byte[] {1}));
            }
        }

        private ByteBuf place() {
            long bytes = Math.min(CHUNK, target.byteSize() - received);
            return Unpooled.wrappedBuffer(target.asSlice(received, bytes).asByteBuffer()).clear();
        }

        RecvByteBufAllocator reads() {
            return new DefaultMaxMessagesRecvByteBufAllocator() {
                @Override
                public MaxMessageHandle newHandle() {
                    return new MaxMessageHandle() {
                        @Override
                        public ByteBuf allocate(ByteBufAllocator buffers) {
                            return place();
                        }

                        @Override
                        public int guess() {
                            return CHUNK;
                        }
                    };
                }
            };
        }
    }
}
