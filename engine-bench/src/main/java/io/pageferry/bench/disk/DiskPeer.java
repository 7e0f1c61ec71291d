package io.pageferry.bench.disk;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Another way to copy a disk over loopback: a server at the target, a client at the source. */
enum DiskPeer {
    /** Four connections to an NBD server, which writes; what it wrote is flushed. */
    NBDCOPY("nbdcopy", List.of("nbdcopy", "nbdkit"),
            "exec nbdkit -f --exit-with-parent -i 127.0.0.1 -p $PORT -t 8 file file=$TARGET",
            "exec nbdcopy --connections=4 --flush $SOURCE nbd://127.0.0.1:$PORT/"),
    /** What is typed where nothing else is there. */
    DD("dd | zstd -1 | nc", List.of("dd", "zstd", "nc"),
            "nc -l 127.0.0.1 $PORT | zstd -q -d | dd of=$TARGET bs=1M conv=fsync status=none",
            "dd if=$SOURCE bs=1M status=none | zstd -q -1 | nc -N 127.0.0.1 $PORT");

    private static final long LISTEN_NANOS = 20_000_000_000L;
    private static final long LIMIT_SECONDS = 900;

    private final String title;
    private final List<String> programs;
    private final String server;
    private final String client;

    DiskPeer(String title, List<String> programs, String server, String client) {
        this.title = title;
        this.programs = programs;
        this.server = server;
        this.client = client;
    }

    String title() {
        return title;
    }

    /** Returns a program that is not installed, or null. */
    String missing() {
        return programs.stream().filter(program -> Stream.of(System.getenv()
                .getOrDefault("PATH", "").split(File.pathSeparator))
                .noneMatch(folder -> Files.isExecutable(Path.of(folder, program))))
                .findFirst().orElse(null);
    }

    /** Copies; returns how long that took from the client's start on. */
    long copy(String source, String target) throws IOException {
        String port = freePort();
        Map<String, String> names = Map.of("PORT", port, "SOURCE", source, "TARGET", target);
        Process serving = start(server, names);
        try {
            awaitListening(Integer.parseInt(port), serving);
            long start = System.nanoTime();
            Process copying = start(client, names);
            end(copying, "the client");
            if (this == DD) {
                // It ends when all is on the disk.
                end(serving, "the server");
            }
            return System.nanoTime() - start;
        } finally {
            serving.descendants().forEach(ProcessHandle::destroy);
            serving.destroy();
        }
    }

    private static Process start(String line, Map<String, String> names) throws IOException {
        ProcessBuilder builder = new ProcessBuilder("bash", "-o", "pipefail", "-c", line)
                .redirectInput(new File("/dev/null")).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD);
        builder.environment().putAll(names);
        return builder.start();
    }

    private static void end(Process process, String what) throws IOException {
        try {
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException(what + " does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        if (process.exitValue() != 0) {
            throw new IOException(what + " ended with " + process.exitValue());
        }
    }

    /** Without a connection, which nc would take for the one that it waits for. */
    private static void awaitListening(int port, Process server) throws IOException {
        long start = System.nanoTime();
        String wanted = String.format(":%04X ", port);
        while (Files.readAllLines(Path.of("/proc/net/tcp")).stream().noneMatch(line ->
                line.contains(wanted + "00000000:0000 0A"))) {
            if (!server.isAlive() || System.nanoTime() - start > LISTEN_NANOS) {
                throw new IOException("the server does not listen");
            }
            Thread.onSpinWait();
        }
    }

    private static String freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            return Integer.toString(socket.getLocalPort());
        }
    }
}
