package io.pageferry.bench.agent;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Connections to an agent's API that ask for events and never read one, and some whose request
 * does not end. One thread; close it to end them.
 */
final class HangingReaders implements AutoCloseable {
    private static final String EVENTS = "GET /v1/events HTTP/1.1\r\nHost: pageferry\r\n";

    private final List<SocketChannel> open = new ArrayList<>();

    /**
     * Connects them.
     *
     * @param api     where the agent is asked
     * @param readers that ask for events
     * @param slow    that do not come to the end of a request
     * @throws IOException when nobody listens there
     */
    HangingReaders(UnixDomainSocketAddress api, int readers, int slow) throws IOException {
        boolean done = false;
        try {
            for (int i = 0; i < readers + slow; i++) {
                SocketChannel one = SocketChannel.open(api);
                open.add(one);
                one.write(ByteBuffer.wrap((i < readers ? EVENTS + "\r\n" : EVENTS)
                        .getBytes(StandardCharsets.US_ASCII)));
            }
            done = true;
        } finally {
            if (!done) {
                close();
            }
        }
    }

    @Override
    public void close() throws IOException {
        for (SocketChannel one : open) {
            one.close();
        }
    }
}
