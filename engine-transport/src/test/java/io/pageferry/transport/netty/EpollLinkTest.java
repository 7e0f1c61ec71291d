package io.pageferry.transport.netty;

/** The contract of a link, over EPOLL. */
final class EpollLinkTest extends NettyLinkContract {
    EpollLinkTest() {
        super(TransportKind.EPOLL);
    }
}
