package io.pageferry.agent.e2e;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.transport.netty.link.TransportClient;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Says something to an agent that listens, over a connection of its own. */
final class Caller {
    private Caller() {
    }

    /** The first answer, or null where the link was closed without one. */
    static Message ask(TransportClient client, Agent agent, Message message) throws IOException {
        List<Message> heard = new ArrayList<>();
        try (SourceLink link = client.connect(address(agent), Poll.LIMIT)) {
            link.send(message);
            // Not every message has an answer, and this one always has.
            link.send(new Message.Status(new UUID(7, 8), 1));
            Poll.until(() -> {
                link.poll(new Hearing(heard));
                return !heard.isEmpty() || !link.isUp();
            }, () -> "no answer to " + message);
        }
        return heard.isEmpty() ? null : heard.getFirst();
    }

    static InetSocketAddress address(Agent agent) throws IOException {
        return address(agent.address());
    }

    static InetSocketAddress address(String address) {
        int colon = address.lastIndexOf(':');
        return new InetSocketAddress(address.substring(0, colon),
                Integer.parseInt(address.substring(colon + 1)));
    }

    /** Notes what is said. */
    record Hearing(List<Message> heard) implements LinkHandler {
        @Override
        public void onMessage(Message message) {
            heard.add(message);
        }

        @Override
        public void onBatch(PageBatch batch) {
            throw new IllegalStateException("a target sends no pages");
        }

        @Override
        public void onLost(ErrorCode code, String reason) {
            // The link says so too.
        }
    }
}
