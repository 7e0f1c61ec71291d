package io.pageferry.transport.local;

import io.pageferry.core.link.SourceLink;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.testing.link.LinkContract;

/** The link within one process, held to what Netty's is held to. */
class LocalLinkTest extends LinkContract {
    private final LocalPort port = new LocalPort();

    @Override
    protected SourceLink openSource() {
        return port.connect().orElseThrow();
    }

    @Override
    protected TargetLink acceptTarget() {
        return port.accept().orElse(null);
    }

    @Override
    protected void breakLink() {
        port.cut();
    }

    @Override
    protected void tearDown() {
        // Nothing is left once both ends are closed.
    }
}
