package io.pageferry.agent.embed;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Requirements;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** A machine of this process, another one that it is to become, and a thread for the target. */
abstract class EmbedRig {
    static final long SIZE = 4 << 20;

    @TempDir
    Path folder;

    final PlainMemory here = new PlainMemory(SIZE);
    final PlainMemory there = new PlainMemory(SIZE);
    final Machine machine = new Machine(here);
    final ArrivingMachine arriving = new ArrivingMachine(there);
    final ExecutorService other = Executors.newSingleThreadExecutor();

    @AfterEach
    void release() throws InterruptedException {
        other.shutdownNow();
        assertTrue(other.awaitTermination(Requirements.HANG.toSeconds(), TimeUnit.SECONDS),
                "the target does not end");
        machine.close();
        here.close();
        there.close();
    }

    /** A target that listens. */
    record Listening(IncomingMigration migration, SocketAddress address,
            Future<MigrationReport> report) { }

    Listening listen(UnaryOperator<IncomingMigration.Builder> options) throws Exception {
        return listen(anyPort(), options);
    }

    Listening listen(SocketAddress where,
            UnaryOperator<IncomingMigration.Builder> options) throws Exception {
        CompletableFuture<SocketAddress> address = new CompletableFuture<>();
        IncomingMigration incoming = options.apply(IncomingMigration.into(arriving, where)
                .stateDirectory(folder).listening(address::complete)).build();
        Future<MigrationReport> report = other.submit(() -> {
            try {
                return incoming.run();
            } finally {
                address.completeExceptionally(new IOException("it ended before it listened"));
            }
        });
        return new Listening(incoming, address.get(), report);
    }

    OutgoingMigration.Builder to(SocketAddress address) {
        return OutgoingMigration.of(machine, address).stateDirectory(folder);
    }

    static InetSocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }
}
