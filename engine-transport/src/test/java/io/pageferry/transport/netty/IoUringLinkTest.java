package io.pageferry.transport.netty;

/** The contract of a link, over IO_URING. */
final class IoUringLinkTest extends NettyLinkContract {
    IoUringLinkTest() {
        super(TransportKind.IO_URING);
    }
}
