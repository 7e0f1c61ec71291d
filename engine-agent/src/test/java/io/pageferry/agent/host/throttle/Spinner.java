package io.pageferry.agent.host.throttle;

import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Stranger;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/** A process with two busy threads that is no child of this JVM, and what proc says of them. */
final class Spinner implements AutoCloseable {
    private static final long FREE_NANOS = 200_000_000;
    private static final double LEAST_SHARE = 0.05;

    private final Stranger stranger;
    private final ThrottledProcess throttled;
    private final long first;
    private final long second;

    private Spinner(Stranger stranger) throws IOException {
        this.stranger = stranger;
        this.throttled = new ThrottledProcess(Path.of("/proc"), stranger.pid(),
                Processes.startTicks(stranger.pid()).orElseThrow());
        this.first = thread("spin-0");
        this.second = thread("spin-1");
    }

    static Spinner start() throws IOException {
        return new Spinner(Stranger.startMain(SpinProgram.class, List.of()));
    }

    /** By the name that the JVM gives a thread towards the kernel too. */
    private long thread(String name) throws IOException {
        long[] found = new long[1];
        Stranger.await("thread " + name, () -> {
            found[0] = find(name);
            return found[0] > 0;
        });
        return found[0];
    }

    private long find(String name) {
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(
                throttled.proc().resolve(throttled.pid() + "/task"))) {
            for (Path task : tasks) {
                if (Files.readString(task.resolve("comm")).strip().equals(name)) {
                    return Long.parseLong(task.getFileName().toString());
                }
            }
            return 0;
        } catch (IOException e) {
            return 0;
        }
    }

    ThrottledProcess throttled() {
        return throttled;
    }

    long first() {
        return first;
    }

    long second() {
        return second;
    }

    /** Processor time that a thread got so far. */
    long usedNanos(long thread) throws IOException {
        String times = Files.readString(throttled.task(thread).resolve("schedstat"));
        return Long.parseLong(times.substring(0, times.indexOf(' ')));
    }

    /** What a thread gets of a processor at the moment, 0 to 1: others may want it too. */
    double share(long thread) throws IOException {
        long begin = System.nanoTime();
        long before = usedNanos(thread);
        Stranger.await("a free while", () -> System.nanoTime() - begin >= FREE_NANOS);
        return Math.clamp((double) (usedNanos(thread) - before) / (System.nanoTime() - begin),
                LEAST_SHARE, 1);
    }

    /** Who traces a thread, 0: nobody. */
    long tracer(long thread) throws IOException {
        return Files.readAllLines(throttled.task(thread).resolve("status")).stream()
                .filter(line -> line.startsWith("TracerPid:"))
                .map(line -> Long.parseLong(line.substring(10).strip()))
                .findFirst().orElseThrow(() -> new NoSuchFileException("TracerPid"));
    }

    @Override
    public void close() {
        stranger.close();
    }
}
