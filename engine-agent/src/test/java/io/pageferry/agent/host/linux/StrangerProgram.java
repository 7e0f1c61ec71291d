package io.pageferry.agent.host.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * The main program of a {@link Stranger}: {@code write FILE SEED} or {@code listen SOCKET}. Ends
 * by itself after two minutes, whatever happens to the test.
 *
 * <p>As a writer it maps the file and obeys its first page: a long at 0 says run, pause, or fork
 * and pause; one at 8 says which of them is obeyed, one at 16 counts writes to the other pages.
 */
public final class StrangerProgram {
    public static final long RUN = 1;
    public static final long PAUSE = 2;
    public static final long FORK = 3;
    public static final long COMMAND = 0;
    public static final long STATE = 8;
    public static final long WRITES = 16;
    public static final int PAGE = 4096;

    private static final VarHandle LONG = JAVA_LONG.varHandle();
    private static final int BURST = 512;
    private static final long PAUSE_NANOS = 200_000;
    private static final long LIFE_MILLIS = 120_000;

    private StrangerProgram() {
    }

    public static void main(String[] arguments) throws IOException {
        Thread.ofPlatform().daemon().start(StrangerProgram::endInTime);
        Path path = Path.of(arguments[1]);
        if ("listen".equals(arguments[0])) {
            listen(path);
        } else {
            write(path, Long.parseLong(arguments[2]));
        }
    }

    private static void endInTime() {
        try {
            Thread.sleep(LIFE_MILLIS);
        } catch (InterruptedException e) {
            // ends now
        }
        Runtime.getRuntime().halt(0);
    }

    private static void listen(Path socket) throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            for (;;) {
                server.accept().close();
            }
        }
    }

    private static void write(Path file, long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
            MemorySegment memory = channel.map(MapMode.READ_WRITE, 0, channel.size(),
                    Arena.global());
            long pages = memory.byteSize() / PAGE;
            for (;;) {
                long command = get(memory, COMMAND);
                for (int i = 0; command == RUN && i < BURST; i++) {
                    long page = random.nextLong(1, pages);
                    memory.set(JAVA_LONG, page * PAGE + 8L * random.nextInt(PAGE / 8),
                            random.nextLong());
                }
                if (command == FORK && get(memory, STATE) != FORK) {
                    fork();
                }
                LONG.getAndAdd(memory, WRITES, command == RUN ? (long) BURST : 0L);
                set(memory, STATE, command);
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    /** By fork(2) itself where the JVM was told so, else by one that shares the page tables. */
    private static void fork() throws IOException {
        try {
            new ProcessBuilder("true").start().waitFor();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    public static long get(MemorySegment memory, long offset) {
        return (long) LONG.getVolatile(memory, offset);
    }

    public static void set(MemorySegment memory, long offset, long value) {
        LONG.setVolatile(memory, offset, value);
    }
}
