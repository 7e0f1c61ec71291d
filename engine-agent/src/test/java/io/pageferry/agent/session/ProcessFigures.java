package io.pageferry.agent.session;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import io.pageferry.agent.report.Output;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What this process holds: memory, descriptors, threads, mappings, files. */
final class ProcessFigures {
    private static final Path SELF = Path.of("/proc/self");

    private ProcessFigures() {
    }

    /**
     * Counts everything, after a collection.
     *
     * @param folder whose files are counted but for journals, of which each migration leaves one
     * @return heapBytes in use, directBytes of Netty's pool and of the JDK's buffers, residentBytes
     *         of all anonymous memory, descriptors, threads, mappings, files
     */
    static ObjectNode json(Path folder) throws IOException {
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        // The first runs what frees buffers, the second collects what held them.
        memory.gc();
        memory.gc();
        long buffers = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .mapToLong(BufferPoolMXBean::getMemoryUsed).sum();
        return Output.object().put("heapBytes", memory.getHeapMemoryUsage().getUsed())
                .put("directBytes", buffers + ((ByteBufAllocatorMetricProvider)
                        ByteBufAllocator.DEFAULT).metric().usedDirectMemory())
                .put("residentBytes", residentBytes())
                .put("descriptors", entries(SELF.resolve("fd")))
                .put("threads", entries(SELF.resolve("task")))
                .put("mappings", lines(SELF.resolve("maps")))
                .put("files", files(folder));
    }

    private static long residentBytes() throws IOException {
        try (Stream<String> lines = Files.lines(SELF.resolve("status"))) {
            return lines.filter(line -> line.startsWith("RssAnon:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                    .findFirst().orElseThrow();
        }
    }

    private static long entries(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.count();
        }
    }

    private static long lines(Path file) throws IOException {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.count();
        }
    }

    private static long files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(file -> !file.toString().endsWith(".journal")).count();
        }
    }
}
