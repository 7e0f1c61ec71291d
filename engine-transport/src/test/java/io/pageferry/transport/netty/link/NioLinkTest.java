package io.pageferry.transport.netty.link;

import io.pageferry.transport.netty.TransportKind;

/** The contract of a link, over NIO. */
final class NioLinkTest extends NettyLinkContract {
    NioLinkTest() {
        super(TransportKind.NIO);
    }
}
