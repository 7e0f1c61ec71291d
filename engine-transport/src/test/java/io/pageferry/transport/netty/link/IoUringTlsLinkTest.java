package io.pageferry.transport.netty.link;

import io.pageferry.transport.netty.TransportKind;
import io.pageferry.transport.netty.tls.TlsEngine;

/** The contract of a link, over io_uring and the JDK's TLS. */
final class IoUringTlsLinkTest extends NettyLinkContract {
    IoUringTlsLinkTest() {
        super(TransportKind.IO_URING, TlsEngine.JDK);
    }
}
