package io.pageferry.bench.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * What processes have of the host, together.
 *
 * @param processorNanos since they started, in steps of 10 ms
 * @param residentBytes  of their memory
 * @param threads        that they have
 * @param descriptors    that they have open
 */
record Footprint(long processorNanos, long residentBytes, long threads, long descriptors) {
    private static final int KIB = 1024;

    /** Reads it of all of them, one after the other. */
    static Footprint of(List<Long> pids) throws IOException {
        Footprint sum = new Footprint(0, 0, 0, 0);
        for (long pid : pids) {
            Path process = Path.of("/proc", Long.toString(pid));
            sum = new Footprint(sum.processorNanos + processor(pid),
                    sum.residentBytes + resident(process),
                    sum.threads + entries(process.resolve("task")),
                    sum.descriptors + entries(process.resolve("fd")));
        }
        return sum;
    }

    private static long processor(long pid) {
        return ProcessHandle.of(pid).flatMap(one -> one.info().totalCpuDuration())
                .map(Duration::toNanos).orElse(0L);
    }

    private static long resident(Path process) throws IOException {
        return Files.readAllLines(process.resolve("status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * KIB).sum();
    }

    private static long entries(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.count();
        }
    }
}
