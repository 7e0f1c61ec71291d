package io.pageferry.agent.host.disk.freeze;

import io.pageferry.agent.host.linux.block.LoopDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/**
 * A process that writes to a mounted file system in every way: through the cache and past it, files
 * that come and go, storage that is given back. It says what it was told to be safe.
 */
public final class DiskWriter implements AutoCloseable {
    private static final int PAGE = LoopDisk.PAGE;
    private static final int PAGES = 4096;
    private static final int LEDGER_BYTES = 8;

    private final Process process;
    private final CompletableFuture<Void> reader;
    private volatile long safe;

    private interface Work {
        void run(Path folder, Random random) throws IOException;
    }

    /** Begins to write, and returns when it does. */
    public DiskWriter(Path folder, long seed) throws IOException {
        process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java")
                .toString(), "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                DiskWriter.class.getName(), folder.toString(), Long.toString(seed))
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        safe = Long.parseLong(process.inputReader().readLine());
        reader = CompletableFuture.runAsync(() -> process.inputReader().lines()
                .forEach(line -> safe = Long.parseLong(line)),
                task -> Thread.ofPlatform().daemon().start(task));
    }

    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        long seed = Long.parseLong(args[1]);
        begin(folder, seed, DiskWriter::throughTheCache);
        begin(folder, seed + 1, DiskWriter::pastTheCache);
        begin(folder, seed + 2, DiskWriter::files);
        System.in.read();
    }

    private static void begin(Path folder, long seed, Work work) {
        Thread.ofPlatform().daemon().start(() -> {
            try {
                work.run(folder, new Random(seed));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
    }

    private static void throughTheCache(Path folder, Random random) throws IOException {
        try (FileChannel file = FileChannel.open(folder.resolve("cached"),
                StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            while (true) {
                byte[] bytes = new byte[PAGE << random.nextInt(6)];
                random.nextBytes(bytes);
                file.write(ByteBuffer.wrap(bytes), (long) random.nextInt(PAGES) * PAGE);
                if (random.nextInt(8) == 0) {
                    file.force(false);
                }
            }
        }
    }

    private static void pastTheCache(Path folder, Random random) throws IOException {
        Path path = folder.resolve("direct");
        Files.write(path, new byte[1 << 22]);
        try (FileChannel file = LoopDisk.direct(path.toString())) {
            ByteBuffer page = LoopDisk.aligned(PAGE);
            while (true) {
                page.clear().putLong(0, random.nextLong());
                file.write(page, (long) random.nextInt(1 << 10) * PAGE);
            }
        }
    }

    /** The ledger's number is safe once force returned. */
    private static void files(Path folder, Random random) throws IOException {
        try (FileChannel ledger = FileChannel.open(folder.resolve("ledger"),
                StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            for (long number = 1;; number++) {
                ledger.write(ByteBuffer.allocate(LEDGER_BYTES).putLong(0, number), 0);
                ledger.force(true);
                System.out.println(number);
                Path file = folder.resolve("file" + random.nextInt(50));
                if (random.nextBoolean()) {
                    Files.write(file, new byte[random.nextInt(1 << 16)]);
                } else {
                    Files.deleteIfExists(file);
                }
                if (random.nextInt(200) == 0) {
                    LoopDisk.run("fstrim", folder.toString());
                }
            }
        }
    }

    /** {@return a number that the file system has promised to keep} */
    public long safe() {
        return safe;
    }

    /** {@return the number that is in a copy of it} */
    public static long ledger(Path folder) throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(folder.resolve("ledger"))).getLong();
    }

    /** It may not be frozen any more. */
    @Override
    public void close() {
        // Process itself would close the stream under the reader.
        process.toHandle().destroyForcibly();
        process.onExit().join();
        reader.join();
    }
}
