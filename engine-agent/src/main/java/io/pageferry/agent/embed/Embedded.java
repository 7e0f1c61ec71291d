package io.pageferry.agent.embed;

import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.link.Loopback;
import io.pageferry.agent.session.warmup.JvmFlags;
import io.pageferry.agent.session.warmup.WarmUp;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/** What both directions of a guest without a URI share. */
final class Embedded {
    private static final String SCHEME = "embedded:";
    private static final GuestUri SCRATCH = GuestUri.parse("workload:1MiB");

    private Embedded() {
    }

    /** As journals and {@code pageferry status} name such a guest; no kind has that scheme. */
    static String text(String name) {
        return SCHEME + name;
    }

    /** The scratch guest lives in memory that only foreign functions give. */
    static Supplier<Runnable> warmUp(boolean wanted, MigrationListener listener) {
        return () -> wanted && JvmFlags.allowNativeAccess(listener)
                ? () -> WarmUp.runLong(SCRATCH) : () -> { };
    }

    static int channels(int count) {
        if (count < 1 || count > Message.MAX_CHANNELS) {
            throw new IllegalArgumentException(count + " channels are not in 1 to "
                    + Message.MAX_CHANNELS);
        }
        return count;
    }

    static long nanos(Duration window) {
        if (window.isNegative()) {
            throw new IllegalArgumentException("a window of " + window);
        }
        return window.toNanos();
    }

    /** Where the transport is the embedder's own there is none: null. */
    static void requireAddress(SocketAddress address, boolean trusted, boolean tls) {
        switch (address) {
            case null -> { }
            case InetSocketAddress tcp -> requireTcp(tcp, trusted);
            case UnixDomainSocketAddress unix -> require(Loopback.objection(unix, unix.toString(),
                    tls));
            default -> throw new IllegalArgumentException(address + " is neither of TCP nor of a"
                    + " unix socket");
        }
    }

    private static void requireTcp(InetSocketAddress address, boolean trusted) {
        if (address.isUnresolved()) {
            throw new IllegalArgumentException("unknown host " + address.getHostString());
        }
        require(Loopback.objection(address, address.toString(), trusted).map(why ->
                why + "use tls(), or insecure() where the whole network is trusted"));
    }

    private static void require(Optional<String> objection) {
        objection.ifPresent(why -> {
            throw new IllegalArgumentException(why);
        });
    }

    /** Only what ran is ever resumed; the journal knows whether it did. */
    static boolean ranBefore(Path stateDirectory, UUID migration) throws IOException {
        return StateDirectory.open(stateDirectory).find(migration, Side.SOURCE)
                .flatMap(FileJournal::decision).map(JournalRecord::ran).orElse(false);
    }
}
