package io.pageferry.transport.netty.link;

import io.pageferry.transport.netty.TransportKind;

/** The contract of a link, over EPOLL. */
final class EpollLinkTest extends NettyLinkContract {
    EpollLinkTest() {
        super(TransportKind.EPOLL);
    }
}
