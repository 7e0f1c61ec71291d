package io.pageferry.agent.session;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.link.SocketConnector;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.outgoing.session.SourceOptions;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.Optional;

/** Settings of small moves within this process, without a warm-up. */
final class Workloads {
    private static final GuestUri GUEST = GuestUri.parse("workload:8MiB?rate=2MiB/s");
    private static final long LINGER = 50_000_000L;

    private Workloads() {
    }

    static ReceiveSettings receive(Path state) {
        return new ReceiveSettings(new GuestFactory<>(GUEST.text(),
                setup -> GuestKinds.of(GUEST).openTarget(GUEST, setup), () -> () -> { }, () -> 0),
                Listener.at(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        Optional.empty()), true,
                false, TargetOptions.defaults(), state, LINGER, null, null);
    }

    static SourceSession migrate(Path state, SocketAddress target) {
        return migrate(state, target, "", SourceOptions.defaults());
    }

    static SourceSession migrate(Path state, SocketAddress target, String slot,
            SourceOptions options) {
        return new SourceSession(new MigrateSettings(new GuestFactory<>(GUEST.text(),
                setup -> GuestKinds.of(GUEST).openSource(GUEST, setup), () -> () -> { }, () -> 0),
                new SocketConnector(target, Optional.empty()), TrackerChoice.AUTO,
                options,
                After.QUIT, false, state, 0, slot), MigrationListener.silent());
    }
}
