package io.pageferry.agent.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.cli.call.CallWords;
import io.pageferry.agent.daemon.CallException.Why;
import io.pageferry.agent.daemon.store.EventLog;
import io.pageferry.agent.daemon.store.HistoryLimits;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.link.Connector;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.link.PeerTrust;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.agent.session.MigrateSettings;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirFactory;

/** The registry of an agent: what it takes on, and what it holds up meanwhile. */
class RegistryTest {
    private static final String SLOW = "workload:64MiB?rate=0&fill=random";
    private static final Map<String, String> SLOWLY = Map.of("bandwidth", "1Mbit/s");

    @TempDir(factory = InMemory.class)
    private Path folder;

    private final Watched words = new Watched();
    private Daemon daemon;

    /** A thousand moves are a thousand files, each written through to its disk. */
    private static final class InMemory implements TempDirFactory {
        @Override
        public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext test)
                throws IOException {
            return Files.createTempDirectory(Path.of("/dev/shm"), "pageferry-registry");
        }
    }

    /** Reads words as an agent does, and notes whether the registry was held meanwhile. */
    private static final class Watched implements MoveWords {
        private final MoveWords words = new CallWords(PeerTrust.of(Optional.empty()), false);
        private final Map<MoveRequest, MigrateSettings> settings = new ConcurrentHashMap<>();
        private final Map<Map<String, String>, Map<String, String>> limits =
                new ConcurrentHashMap<>();
        private volatile Migrations registry;
        private volatile boolean held;
        private volatile int read;

        private void look() {
            held |= registry != null && Thread.holdsLock(registry);
        }

        @Override
        public MigrateSettings settings(MoveRequest request, GuestUri guest,
                Path stateDirectory) {
            look();
            read++;
            return settings.computeIfAbsent(request, any ->
                    words.settings(request, guest, stateDirectory));
        }

        @Override
        public Map<String, String> limits(Map<String, String> options) {
            return limits.computeIfAbsent(options, words::limits);
        }

        @Override
        public Connector connector(String peer) {
            look();
            return words.connector(peer);
        }
    }

    @BeforeEach
    void open() throws IOException {
        daemon = Daemon.open(new DaemonSettings(folder, Listener.at(new InetSocketAddress(
                InetAddress.getLoopbackAddress(), 0), Optional.empty()), 1, 0,
                HistoryLimits.parse(HistoryLimits.DEFAULT), folder.resolve("guests.json"),
                2_000_000_000L, PeerTrust.of(Optional.empty())), words);
        words.registry = daemon.migrations();
        daemon.slots().put("a", "workload:64MiB");
    }

    @AfterEach
    void close() {
        daemon.stop(false, () -> true);
        daemon.close();
    }

    private MoveRequest request(String slot) {
        SocketAddress at = daemon.address();
        return new MoveRequest(SLOW, "127.0.0.1:" + ((InetSocketAddress) at).getPort(), slot,
                SLOWLY);
    }

    private Migration submit(String slot) {
        UUID id = daemon.migrations().submit(request(slot), Optional.empty());
        return daemon.migrations().find(id, Optional.of(Side.SOURCE)).orElseThrow();
    }

    /** A name may take seconds to find, and every call of the API asks the registry. */
    @Test
    void noAddressIsLookedUpWhileTheRegistryIsHeld() {
        Migration moves = submit("a");
        Migration waits = submit("b");
        int before = words.read;
        daemon.migrations().limit(moves, Map.of("timeout", "1h"));
        daemon.migrations().limit(waits, Map.of("timeout", "1h"));
        assertTrue(before >= 2 && words.read >= before + 2, () -> before + ", " + words.read);
        assertEquals(false, words.held);
    }

    @Test
    void aThousandMovesWaitAndNoMore() {
        submit("a");
        for (int i = 0; i < 1000; i++) {
            submit("b");
        }
        assertEquals(1000, daemon.migrations().queueLength());
        CallException refused = assertThrows(CallException.class, () -> submit("b"));
        assertEquals(Why.BUSY, refused.why());
        assertTrue(refused.getMessage().contains("1000 moves wait already"),
                refused.getMessage());
        assertEquals(1000, daemon.migrations().queueLength());
    }

    /** Its disks go beside its memory, in parts of the bandwidth that it began with. */
    @Test
    void theShareOfAMoveThatCopiesDisksStays() {
        MigrateSettings usual = words.settings(request("none"), GuestUri.parse(SLOW), folder);
        MigrateSettings copies = new MigrateSettings(usual.guest(), usual.target(),
                usual.tracker(), usual.options(), usual.after(), true, usual.stateDirectory(),
                usual.lingerNanos(), usual.slot());
        Migration migration = new Migration(UUID.randomUUID(), Side.SOURCE, request("none"),
                new EventLog(System::currentTimeMillis));
        CompletableFuture<AgentResult> ended = new CompletableFuture<>();
        OutgoingMove move = new OutgoingMove(migration, request("none"), GuestUri.parse(SLOW),
                copies, (any, result) -> ended.complete(result));
        move.share(100_000);
        move.share(50_000);
        move.start();
        move.share(25_000);
        move.share(0);
        ended.join();
    }
}
