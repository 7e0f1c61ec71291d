package io.pageferry.bench.agent;

import io.pageferry.bench.ProcessMemory;
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
    /** Reads it of all of them, one after the other. */
    static Footprint of(List<Long> pids) throws IOException {
        Footprint sum = new Footprint(0, 0, 0, 0);
        for (long pid : pids) {
            Path process = Path.of("/proc", Long.toString(pid));
            sum = new Footprint(sum.processorNanos + processor(pid),
                    sum.residentBytes + ProcessMemory.residentBytes(Long.toString(pid)),
                    sum.threads + entries(process.resolve("task")),
                    sum.descriptors + entries(process.resolve("fd")));
        }
        return sum;
    }

    private static long processor(long pid) {
        return ProcessHandle.of(pid).flatMap(one -> one.info().totalCpuDuration())
                .map(Duration::toNanos).orElse(0L);
    }

    private static long entries(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.count();
        }
    }
}
