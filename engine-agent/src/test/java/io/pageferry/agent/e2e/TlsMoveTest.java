package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.cli.trust.TestTrust;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Guests move over TLS by the two commands; who has no right certificate changes nothing. */
class TlsMoveTest extends WithRig {
    private static final String GUEST = "workload:16MiB?rate=1MiB/s";
    private static final String ROOM = "workload:16MiB";

    private TestTrust trust;

    @BeforeEach
    void makeTrust() throws IOException {
        trust = new TestTrust(folder.resolve("trust")).issue("target").issue("source");
    }

    private Agent move(String to, String... more) throws IOException {
        return migrate(GUEST, to, more);
    }

    private String[] source(String... more) {
        return with(List.of(trust.options("source")), more).toArray(String[]::new);
    }

    private static void assertRefused(String words, Agent source) throws IOException {
        E2e.assertEnds(3, "refused", source);
        String reason = source.report().at("/error/reason").asText();
        assertTrue(reason.contains(words), source::toString);
        assertEquals("source", source.report().at("/owner/side").asText("source"));
    }

    private static void assertLogs(String words, Agent agent) throws IOException {
        agent.await(words, event -> event.path("message").asText().contains(words));
    }

    private static void assertMovedByTls(Agent source, Agent target) throws IOException {
        E2e.assertMoved(source, target);
        for (ObjectNode report : List.of(source.report(), target.report())) {
            assertTrue(report.path("tls").asBoolean(), report::toString);
            assertEquals(0, report.at("/guestCheck/failures").asLong(-1), report::toString);
        }
    }

    @Test
    void strangersAreRefusedAndTheNextGoodPeerIsTakenIn() throws IOException {
        TestTrust other = new TestTrust(folder.resolve("other")).issue("source");
        Agent target = receive(ROOM, trust.options("target"));
        assertRefused("the target expects TLS: give --tls-cert", move(target.address()));
        assertLogs("the target expects TLS", target);
        assertRefused("is not signed by a CA of --tls-ca",
                move(target.address(), other.options("source")));
        String[] mixed = other.options("source");
        mixed[5] = trust.file("ca.crt").toString();
        assertRefused("does not accept the certificate of this side",
                move(target.address(), mixed));
        assertLogs("the source's certificate is not signed by a CA", target);
        assertMovedByTls(move(target.address(), source("--channels", "2")), target);
        rig.awaitNothingLeft();
    }

    @Test
    void aTargetOfAnotherNameIsRefused() throws IOException {
        trust.issue("target", "elsewhere.example");
        Agent target = receive(ROOM, trust.options("target"));
        assertRefused("is for another host (No subject alternative names matching IP address"
                + " 127.0.0.1 found)", move(target.address(), source()));
        // Renewed with the right name, and the target is not told: it looks for itself.
        trust.issue("target");
        Files.writeString(trust.file("ca.crt"), "");
        assertEquals(2, move(target.address(), source()).exit());
        trust = new TestTrust(folder.resolve("again")).issue("target").issue("source");
        for (String file : List.of("target.crt", "target.key", "ca.crt")) {
            Files.copy(trust.file(file), folder.resolve("trust").resolve(file),
                    StandardCopyOption.REPLACE_EXISTING);
        }
        assertMovedByTls(move(target.address(), source()), target);
    }

    @Test
    void aFileThatCannotBeReadAgainLeavesTheLastOneInUse() throws IOException {
        Agent target = receive(ROOM, trust.options("target"));
        Files.writeString(trust.file("target.crt"), "no certificate");
        assertMovedByTls(move(target.address(), source()), target);
        assertLogs("TLS goes on with the certificates that were read before", target);
        assertLogs("target.crt has no certificate in PEM", target);
    }

    @Test
    void onlyAllowedPeersAreTakenIn() throws IOException {
        trust.issue("guest", "guest.example");
        Agent target = receive(ROOM, with(List.of(trust.options("target")),
                "--allow-peer", "source", "--allow-peer", "spiffe://cluster/any")
                .toArray(String[]::new));
        assertRefused("guest, guest.example is not let in here (--allow-peer)",
                move(target.address(), trust.options("guest")));
        assertRefused("which --allow-peer does not name",
                move(target.address(), source("--allow-peer", "host.example")));
        assertMovedByTls(move(target.address(), source("--allow-peer", "localhost")), target);
    }

    @Test
    void aTargetWithoutTlsIsNamed() throws IOException {
        Agent target = receive(ROOM);
        assertRefused("the target does not speak TLS", move(target.address(), source()));
        assertLogs("TLS: the peer speaks it and this side does not", target);
        E2e.assertMoved(move(target.address()), target);
    }

    /** Off loopback no other word is wanted, and a link that is lost comes back over TLS. */
    @Test
    void aLostLinkIsTakenUpAgainByTheSameHost() throws IOException {
        Agent target = receive(ROOM, with(List.of(trust.options("target")),
                "--reconnect-window", "60s").toArray(String[]::new));
        try (Cable cable = new Cable(target.address())) {
            List<String> command = with(List.of("migrate", GUEST, "--to", cable.address(),
                    "--reconnect-window", "60s"), source());
            Agent source = rig.start("round 0", command);
            source.awaitHold("round 0");
            // With another key: the host is the same.
            trust.issue("source");
            cable.cut(true);
            source.goOn();
            assertMovedByTls(source, target);
            assertTrue(source.report().at("/reconnects").asInt() >= 1, source::toString);
        }
    }

    /** A target that is dead keeps the doubt; one on its journal that speaks TLS ends it. */
    @Test
    void aDoubtIsSettledOverTls() throws IOException {
        Agent target = rig.start("", with(List.of("receive", ROOM, "--listen", "127.0.0.1:0"),
                trust.options("target")));
        String address = target.address();
        String migration = killedWhenGranted(GUEST, address, source()).path("migration").asText();
        target.awaitState("refused");
        target.kill();
        Agent alone = settle(migration, source("--settle-window", "2s"));
        assertEquals(6, alone.exit(), alone::toString);
        Agent later = rig.start("", with(List.of("receive", "workload:8MiB", "--listen", address),
                trust.options("target")));
        later.address();
        Agent plain = settle(migration, "--settle-window", "2s");
        assertEquals(6, plain.exit(), plain::toString);
        assertTrue(plain.words().contains("the target expects TLS"), plain::toString);
        TestTrust other = new TestTrust(folder.resolve("other")).issue("source");
        Agent stranger = settle(migration, with(List.of(other.options("source")),
                "--settle-window", "2s").toArray(String[]::new));
        assertEquals(6, stranger.exit(), stranger::toString);
        Agent asked = settle(migration, source());
        assertEquals(4, asked.exit(), asked::toString);
        assertTrue(asked.words().contains("the source owns the guest"), asked::toString);
    }

    @Test
    void statusAndSettleTakeTheSameOptions() throws IOException {
        Agent status = rig.start("", with(List.of("status"), source()));
        assertEquals(0, status.exit(), status::toString);
        Agent settle = rig.start("", with(List.of("settle",
                "00000000-0000-0000-0000-000000000001"), source()));
        assertEquals(3, settle.exit(), settle::toString);
    }
}
