package io.pageferry.transport.netty;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;

/** The ways to reach the kernel; what is here depends on the host. */
public enum TransportKind {
    /** Linux io_uring. */
    IO_URING(IoUringSocketChannel.class, IoUringServerSocketChannel.class),
    /** Linux epoll, native. */
    EPOLL(EpollSocketChannel.class, EpollServerSocketChannel.class),
    /** The JDK's own selector; works everywhere. */
    NIO(NioSocketChannel.class, NioServerSocketChannel.class);

    /** What {@link #auto} prefers where it is available; docs/adr/0002-netty-transport.md. */
    public static final TransportKind PREFERRED = NIO;

    private final Class<? extends SocketChannel> socket;
    private final Class<? extends ServerSocketChannel> server;

    TransportKind(Class<? extends SocketChannel> socket,
            Class<? extends ServerSocketChannel> server) {
        this.socket = socket;
        this.server = server;
    }

    /**
     * Chooses.
     *
     * @return {@link #PREFERRED} where it is available, else {@link #NIO}
     */
    public static TransportKind auto() {
        return PREFERRED.isAvailable() ? PREFERRED : NIO;
    }

    /**
     * Probes the host.
     *
     * @return null when this kind works here, else why not
     */
    public Throwable unavailability() {
        return switch (this) {
            case IO_URING -> IoUring.unavailabilityCause();
            case EPOLL -> Epoll.unavailabilityCause();
            case NIO -> null;
        };
    }

    /** {@return whether this kind works here} */
    public boolean isAvailable() {
        return unavailability() == null;
    }

    IoHandlerFactory handlers() {
        return switch (this) {
            case IO_URING -> IoUringIoHandler.newFactory();
            case EPOLL -> EpollIoHandler.newFactory();
            case NIO -> NioIoHandler.newFactory();
        };
    }

    Class<? extends SocketChannel> socket() {
        return socket;
    }

    Class<? extends ServerSocketChannel> server() {
        return server;
    }
}
