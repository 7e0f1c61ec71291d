package io.pageferry.transport.netty.link;

import io.pageferry.transport.netty.TransportKind;
import io.pageferry.transport.netty.tls.TlsEngine;

/** The contract of a link, over epoll and BoringSSL. */
final class EpollTlsLinkTest extends NettyLinkContract {
    EpollTlsLinkTest() {
        super(TransportKind.EPOLL, TlsEngine.NATIVE);
    }
}
