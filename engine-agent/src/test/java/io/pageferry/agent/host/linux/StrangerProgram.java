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
import java.nio.channels.SocketChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * The main program of a {@link Stranger}: {@code write FILE SEED [SOCKET]}, which connects to the
 * socket if one is named and stays so, or {@code listen SOCKET}. Ends by itself
 * after two minutes, whatever happens to the test.
 *
 * <p>As a writer it maps the file and obeys its first page: a long at 0 says what to do, one at 8
 * which of that is obeyed, one at 16 counts writes to the other pages.
 */
public final class StrangerProgram {
    public static final long RUN = 1;
    public static final long PAUSE = 2;
    public static final long FORK = 3;
    /** Reads every page, and waits. */
    public static final long READ = 4;
    /** Maps the file a second time, and writes its last page there. */
    public static final long MAP_AGAIN = 5;
    /** Opens the program of its JVM with O_DIRECT, for good. */
    public static final long OPEN_DIRECT = 6;
    public static final long COMMAND = 0;
    public static final long STATE = 8;
    public static final long WRITES = 16;
    public static final int PAGE = 4096;

    private static FileChannel opened;
    private static SocketChannel connected;

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
            if (arguments.length > 3) {
                connected = SocketChannel.open(UnixDomainSocketAddress.of(arguments[3]));
            }
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
                if (command != get(memory, STATE)) {
                    once(command, memory, channel);
                }
                LONG.getAndAdd(memory, WRITES, command == RUN ? (long) BURST : 0L);
                set(memory, STATE, command);
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    private static void once(long command, MemorySegment memory, FileChannel channel)
            throws IOException {
        if (command == FORK) {
            fork();
        } else if (command == READ) {
            readAll(memory);
        } else if (command == MAP_AGAIN) {
            MemorySegment again = channel.map(MapMode.READ_WRITE, 0, channel.size(),
                    Arena.global());
            again.set(JAVA_LONG, again.byteSize() - PAGE, command);
        } else if (command == OPEN_DIRECT) {
            openDirect();
        }
    }

    /** The option is not of the platform's API, so that the compiler would warn of its name. */
    private static void openDirect() throws IOException {
        try {
            OpenOption direct = (OpenOption) Class.forName("com.sun.nio.file.ExtendedOpenOption")
                    .getField("DIRECT").get(null);
            opened = FileChannel.open(Path.of(System.getProperty("java.home"), "bin", "java"),
                    direct);
        } catch (ReflectiveOperationException e) {
            throw new IOException(e);
        }
    }

    private static void readAll(MemorySegment memory) {
        for (long at = 0; at < memory.byteSize(); at += PAGE) {
            get(memory, at);
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
