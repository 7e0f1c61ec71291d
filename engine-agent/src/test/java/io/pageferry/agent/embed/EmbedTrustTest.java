package io.pageferry.agent.embed;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.cli.trust.TestTrust;
import io.pageferry.agent.host.linux.SocketFile;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.transport.netty.SharedSecret;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Who lets whom in, and by which addresses. */
class EmbedTrustTest extends EmbedRig {
    @Test
    void movesOverAUnixSocketThatGoesWithIt() throws Exception {
        Path file = folder.resolve("target.sock");
        Listening target = listen(UnixDomainSocketAddress.of(file), options -> options);
        assertTrue(Files.exists(file));

        MigrationReport source = to(target.address()).build().run();

        assertEquals(Result.COMPLETED, source.outcome().result(), source.json());
        assertTrue(target.report().get().isCompleted());
        assertFalse(Files.exists(file));
    }

    @Test
    void aPeerWithoutTheSecretIsRefused() throws Exception {
        byte[] secret = "a secret of both sides".getBytes(UTF_8);
        Listening target = listen(options -> options.secret(secret));
        assertEquals(Result.REFUSED, to(target.address()).build().run().outcome().result());
        assertEquals(Result.REFUSED, to(target.address())
                .secret("another secret of 1 side".getBytes(UTF_8)).build().run()
                .outcome().result());

        MigrationReport source = to(target.address()).secret(secret).build().run();

        assertEquals(Result.COMPLETED, source.outcome().result(), source.json());
        assertTrue(target.report().get().isCompleted());
    }

    @Test
    void whatProtectsNothingIsRefusedWhenItIsBuilt() {
        UnixDomainSocketAddress socket = UnixDomainSocketAddress.of(folder.resolve("a.sock"));
        UnixDomainSocketAddress deep = UnixDomainSocketAddress.of(
                folder.resolve("a".repeat(SocketFile.LONGEST)));
        Path none = folder.resolve("none");
        LinkOpener own = Optional::empty;

        assertThrows(IllegalArgumentException.class, () -> OutgoingMigration.of(machine, socket)
                .tls(none, none, none).build());
        assertThrows(IllegalArgumentException.class,
                () -> IncomingMigration.into(arriving, deep).build());
        assertThrows(IllegalArgumentException.class, () -> OutgoingMigration.of(machine, own, "own")
                .secret(new byte[SharedSecret.SHORTEST]).build());
        assertThrows(IllegalArgumentException.class, () -> OutgoingMigration.of(machine, socket)
                .secret(new byte[SharedSecret.SHORTEST - 1]));
    }

    @Test
    void movesOverTls() throws Exception {
        TestTrust trust = new TestTrust(folder.resolve("trust")).issue("here").issue("there");
        Path ca = trust.file("ca.crt");
        Listening target = listen(options -> options.tls(trust.file("there.crt"),
                trust.file("there.key"), ca).allowPeers("here"));
        assertEquals(Result.REFUSED, to(target.address()).build().run().outcome().result());

        MigrationReport source = to(target.address())
                .tls(trust.file("here.crt"), trust.file("here.key"), ca).build().run();

        assertEquals(Result.COMPLETED, source.outcome().result(), source.json());
        assertTrue(new ObjectMapper().readTree(source.json()).path("tls").asBoolean());
        assertTrue(new ObjectMapper().readTree(target.report().get().json()).path("tls")
                .asBoolean());
    }

    @Test
    void refusesWrongUseOfTls() {
        Path none = folder.resolve("none");
        String missing = assertThrows(IllegalArgumentException.class,
                () -> to(anyPort()).tls(none, none, none).build()).getMessage();
        assertTrue(missing.contains("there is no such file"), missing);
        String nameless = assertThrows(IllegalArgumentException.class,
                () -> to(anyPort()).allowPeers("here").build()).getMessage();
        assertTrue(nameless.contains("tls() is missing"), nameless);
    }

    @Test
    void otherThanLoopbackWantsAWordOfTheEmbedder() {
        InetSocketAddress far = new InetSocketAddress("192.0.2.1", 4477);

        assertThrows(IllegalArgumentException.class,
                () -> OutgoingMigration.of(machine, far).build());
        assertThrows(IllegalArgumentException.class,
                () -> IncomingMigration.into(arriving, far).build());
        assertThrows(IllegalArgumentException.class, () -> OutgoingMigration.of(machine,
                InetSocketAddress.createUnresolved("localhost", 1)).insecure().build());
        OutgoingMigration.of(machine, far).insecure().build();
        IncomingMigration.into(arriving, far).insecure().build();
    }
}
