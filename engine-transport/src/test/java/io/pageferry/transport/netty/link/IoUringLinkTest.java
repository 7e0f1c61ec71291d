package io.pageferry.transport.netty.link;

import io.pageferry.transport.netty.TransportKind;

/** The contract of a link, over IO_URING. */
final class IoUringLinkTest extends NettyLinkContract {
    IoUringLinkTest() {
        super(TransportKind.IO_URING);
    }
}
