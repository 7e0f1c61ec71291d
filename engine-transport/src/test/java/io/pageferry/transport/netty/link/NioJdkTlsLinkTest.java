package io.pageferry.transport.netty.link;

import io.pageferry.transport.netty.TransportKind;
import io.pageferry.transport.netty.tls.TlsEngine;

/** The contract of a link, over NIO and the JDK's TLS. */
final class NioJdkTlsLinkTest extends NettyLinkContract {
    NioJdkTlsLinkTest() {
        super(TransportKind.NIO, TlsEngine.JDK);
    }
}
