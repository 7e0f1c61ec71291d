package io.pageferry.transport.netty.link;

import io.pageferry.transport.netty.TransportKind;
import io.pageferry.transport.netty.tls.TlsEngine;

/** The contract of a link, over NIO and BoringSSL. */
final class NioTlsLinkTest extends NettyLinkContract {
    NioTlsLinkTest() {
        super(TransportKind.NIO, TlsEngine.NATIVE);
    }
}
