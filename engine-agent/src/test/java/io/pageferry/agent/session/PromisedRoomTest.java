package io.pageferry.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.guest.room.HostRoom;
import io.pageferry.agent.guest.room.RoomClaim;
import io.pageferry.agent.link.AgentLoop;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.session.inbox.SlotState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.MigrationLimits;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.FileStore;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.FileStoreAttributeView;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two sources come to one process, and there is room for one of them. */
@Timeout(value = 400, unit = TimeUnit.SECONDS)
class PromisedRoomTest {
    private static final long FREE = 1L << 40;
    private static final long NEEDED = FREE / 10 * 8;

    /** A file system that nobody fills meanwhile. */
    private static final FileStore STORE = new FileStore() {
        @Override
        public String name() {
            return "test";
        }

        @Override
        public String type() {
            return name();
        }

        @Override
        public boolean isReadOnly() {
            return false;
        }

        @Override
        public long getTotalSpace() {
            return FREE;
        }

        @Override
        public long getUsableSpace() {
            return FREE;
        }

        @Override
        public long getUnallocatedSpace() {
            return FREE;
        }

        @Override
        public boolean supportsFileAttributeView(Class<? extends FileAttributeView> type) {
            return false;
        }

        @Override
        public boolean supportsFileAttributeView(String view) {
            return false;
        }

        @Override
        public <V extends FileStoreAttributeView> V getFileStoreAttributeView(Class<V> type) {
            return null;
        }

        @Override
        public Object getAttribute(String attribute) {
            throw new UnsupportedOperationException(attribute);
        }
    };

    @TempDir
    private Path folder;

    private TargetHost host;
    private TargetSlotHandle slot;

    @BeforeEach
    void open() throws IOException {
        host = TargetHost.open(Listener.at(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), Optional.empty()),
                folder.resolve("target"), MigrationListener.silent());
        slot = add("first");
        add("second");
    }

    private TargetSlotHandle add(String name) throws IOException {
        ReceiveSettings usual = Workloads.receive(folder);
        return host.add(name, new ReceiveSettings(new GuestFactory<>(usual.guest().text(),
                setup -> wanting(usual.guest().open(setup), setup.room()), () -> () -> { },
                () -> 0), usual.listen(), false, false, usual.options(), usual.stateDirectory(),
                0, null, null), MigrationListener.silent(), result -> { });
    }

    /** It wants most of a file system too. */
    private static TargetGuest wanting(TargetGuest guest, RoomClaim room) {
        return (TargetGuest) Proxy.newProxyInstance(TargetGuest.class.getClassLoader(),
                new Class<?>[] {TargetGuest.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("requireFits")) {
                        RoomClaim.Usable usable = take(room);
                        if (usable.bytes() < NEEDED) {
                            throw new GuestException(ErrorCode.NO_ROOM, "there is room for "
                                    + usable.bytes() + usable.words(), "");
                        }
                    }
                    try {
                        return method.invoke(guest, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @AfterEach
    void close() {
        host.close();
    }

    @Test
    void theSecondIsRefusedUntilTheFirstIsOver() throws Exception {
        SourceSession first = source("first", new Bandwidth(Bandwidth.LEAST, Bandwidth.LEAST));
        Thread thread = Thread.ofPlatform().start(() -> AgentLoop.run(first));
        Outcome refused;
        try {
            while (slot.state() != SlotState.RECEIVING && thread.isAlive()) {
                Thread.sleep(1);
            }
            refused = move();
        } finally {
            first.cancel();
            thread.join();
        }
        assertEquals(ErrorCode.NO_ROOM, refused.code(), refused::reason);
        assertTrue(refused.reason().contains("are promised to guests on their way"),
                refused::reason);
        assertEquals(ErrorCode.CANCELLED, first.result().outcome().code());
        while (slot.state() != SlotState.WAITING) {
            Thread.sleep(1);
        }
        Outcome after = move();
        assertEquals(Result.COMPLETED, after.result(), after::reason);
    }

    /** As {@code --prealloc} does: it is missing from what is free then. */
    @Test
    void whatWasTakenBeforeAnybodyCameIsNoPromise() throws IOException {
        ReceiveSettings usual = Workloads.receive(folder);
        host.add("third", new ReceiveSettings(new GuestFactory<>(usual.guest().text(), setup -> {
            take(setup.room());
            return usual.guest().open(setup);
        }, () -> () -> { }, () -> 0), usual.listen(), false, false, usual.options(),
                usual.stateDirectory(), 0, null, null), MigrationListener.silent(),
                result -> { });
        RoomClaim other = HostRoom.ofProcess().claim();
        assertEquals(FREE, take(other).bytes());
        other.release();
    }

    private static RoomClaim.Usable take(RoomClaim room) {
        try {
            return room.take(STORE, NEEDED);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Outcome move() {
        return source("second", MigrationLimits.defaults().bandwidth()).run().outcome();
    }

    private SourceSession source(String to, Bandwidth bandwidth) {
        return Workloads.migrate(folder.resolve("source"), host.address(), to,
                SourceOptions.defaults().withLimits(MigrationLimits.defaults().with(bandwidth)));
    }
}
