package io.pageferry.transport.netty;

/** The contract of a link, over NIO. */
final class NioLinkTest extends NettyLinkContract {
    NioLinkTest() {
        super(TransportKind.NIO);
    }
}
