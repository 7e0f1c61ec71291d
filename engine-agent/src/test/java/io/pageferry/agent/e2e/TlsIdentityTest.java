package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.pageferry.agent.cli.trust.TestTrust;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.transport.netty.Admission;
import io.pageferry.transport.netty.Security;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.link.TransportClient;
import io.pageferry.transport.netty.tls.TlsFiles;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;

/** A session belongs to who opened it, and not to who knows its token. */
class TlsIdentityTest extends WithRig {
    private static final UUID MIGRATION = new UUID(3, 4);

    private TransportClient client(TestTrust trust, String host) {
        TlsFiles files = new TlsFiles(trust.file(host + ".crt"), trust.file(host + ".key"),
                trust.file("ca.crt"));
        return new TransportClient(TransportOptions.defaults(SystemNanoClock.INSTANCE)
                .withSecurity(new Security(Optional.of(TlsOptions.of(files, Set.of())),
                        Admission.open())));
    }

    private static Message ask(TransportClient client, Agent target, Message message)
            throws IOException {
        try (SourceLink link = client.connect(Caller.address(target), Poll.LIMIT)) {
            return ask(link, message);
        }
    }

    private static Message ask(SourceLink link, Message message) throws IOException {
        List<Message> heard = new ArrayList<>();
        link.send(message);
        Poll.until(() -> {
            link.poll(new Caller.Hearing(heard));
            return !heard.isEmpty();
        }, () -> "no answer to " + message);
        return heard.getFirst();
    }

    @Test
    void anotherHostDoesNotTakeASessionUp() throws IOException {
        TestTrust trust = new TestTrust(folder.resolve("trust")).issue("target").issue("source")
                .issue("thief");
        Agent target = receive("workload:8MiB", with(List.of(trust.options("target")),
                "--reconnect-window", "60s").toArray(String[]::new));
        try (TransportClient source = client(trust, "source");
                TransportClient thief = client(trust, "thief")) {
            Message.Welcome welcome;
            try (SourceLink link = source.connect(Caller.address(target), Poll.LIMIT)) {
                welcome = assertInstanceOf(Message.Welcome.class, ask(link, new Message.Hello(
                        MIGRATION, 0, 0, 1, 1, new GuestDescription("workload", "workload",
                        RegionTable.single("ram", 8 << 20), 0, Map.of()), "")));
            }
            Message.Resume resume = new Message.Resume(MIGRATION, welcome.token(),
                    welcome.generation() + 1, 0);
            Message.Failure no = assertInstanceOf(Message.Failure.class,
                    ask(thief, target, resume));
            assertEquals(ErrorCode.PROTOCOL_VIOLATION, no.code());
            assertEquals("the session belongs to another peer", no.reason());
            // The same host with another key is the same peer.
            trust.issue("source");
            try (TransportClient renewed = client(trust, "source")) {
                Message.Welcome again = assertInstanceOf(Message.Welcome.class,
                        ask(renewed, target, resume));
                assertEquals(welcome.generation() + 1, again.generation());
            }
        }
    }
}
