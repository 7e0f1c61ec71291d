package io.pageferry.agent.embed;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationEvent.Level;
import io.pageferry.core.migration.MigrationListener;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** A whole program of an embedder: a machine of this process moves into another of it. */
final class EmbedderProgram {
    private static final long SIZE = 4 << 20;

    private EmbedderProgram() {
    }

    /** Moves, prints one line, and ends with 0 where the machine stands there as it stood here. */
    public static void main(String[] arguments) throws Exception {
        Path state = Path.of(arguments[0]);
        CodecChoice codec = CodecChoice.valueOf(arguments[1]);
        CompletableFuture<SocketAddress> address = new CompletableFuture<>();
        try (PlainMemory here = new PlainMemory(SIZE);
                PlainMemory there = new PlainMemory(SIZE);
                Machine machine = new Machine(here);
                ArrivingMachine arriving = new ArrivingMachine(there);
                var thread = Executors.newSingleThreadExecutor()) {
            IncomingMigration incoming = IncomingMigration.into(arriving,
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                    .stateDirectory(state).listener(warnings("target"))
                    .listening(address::complete).build();
            Future<MigrationReport> arrival = thread.submit(incoming::run);
            MigrationReport report = OutgoingMigration.of(machine, address.get())
                    .stateDirectory(state).listener(warnings("source")).codec(codec).build().run();
            boolean equal = arrival.get().isCompleted() && report.isVerified()
                    && machine.counter() == arriving.counter()
                    && here.window(0).mismatch(there.window(0)) == -1;
            System.out.println(equal ? "moved" : report.json());
            if (!equal) {
                throw new IllegalStateException("not moved");
            }
        }
    }

    private static MigrationListener warnings(String side) {
        return new MigrationListener() {
            @Override
            public void on(MigrationEvent event) {
                if (event instanceof MigrationEvent.Logged(Level level, String message)
                        && level == Level.WARN) {
                    System.out.println(side + ": " + message);
                }
            }
        };
    }
}
