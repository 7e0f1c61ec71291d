package io.pageferry.agent.e2e;

import io.pageferry.agent.host.linux.Processes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** A PostgreSQL of its own in a folder of its own, whose parent is nobody here. */
final class Postgres implements AutoCloseable {
    private static final Path VERSIONS = Path.of("/usr/lib/postgresql");
    private static final String USER = "postgres";

    private final Path programs;
    private final Path folder;
    private final long pid;
    private final long startTicks;
    private Process load;

    /** Whether this machine has one, and this test may become its user. */
    static boolean isThere() throws IOException {
        return Files.isDirectory(VERSIONS) && Files.isWritable(Path.of("/proc/1/oom_score_adj"));
    }

    Postgres() throws IOException {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(VERSIONS)) {
            programs = all.iterator().next().resolve("bin");
        }
        folder = Files.createTempDirectory(Path.of("/tmp"), "pageferry-postgres-");
        UserPrincipal user = folder.getFileSystem().getUserPrincipalLookupService()
                .lookupPrincipalByName(USER);
        Files.setOwner(folder, user);
        long[] found = new long[1];
        boolean started = false;
        try {
            run("initdb", "-D", data(), "-N", "-A", "trust", "--no-instructions");
            run("sh", "-c", "setsid " + programs + "/postgres -D " + data() + " -k " + folder
                    + " -c listen_addresses= -c shared_buffers=32MB -c fsync=off"
                    + " </dev/null >" + folder + "/log 2>&1 &");
            Poll.until(() -> isReady(found), () -> "PostgreSQL is not ready");
            run("pgbench", "-h", folder.toString(), "-i", "-q", "postgres");
            started = true;
        } finally {
            pid = found[0];
            startTicks = Processes.startTicks(pid).orElse(-1);
            if (!started) {
                close();
            }
        }
    }

    private String data() {
        return folder.resolve("data").toString();
    }

    private boolean isReady(long[] found) throws IOException {
        Path file = folder.resolve("data/postmaster.pid");
        if (!Files.exists(file)) {
            return false;
        }
        List<String> lines = Files.readAllLines(file);
        if (!lines.isEmpty()) {
            found[0] = Long.parseLong(lines.getFirst().strip());
        }
        return lines.size() > 7 && lines.get(7).strip().equals("ready");
    }

    long pid() {
        return pid;
    }

    /** Writes without end from now on. */
    void load() throws IOException {
        load = start("pgbench", "-h", folder.toString(), "-c", "4", "-T", "100", "-n", "-R", "400",
                "postgres");
    }

    /** Whether the load goes on. */
    boolean isLoaded() {
        return load.isAlive();
    }

    /** {@return how many transactions it has done, once it answers} */
    long transactions() throws IOException {
        return Long.parseLong(run("psql", "-h", folder.toString(), "-A", "-t", "-c",
                "select count(*) from pgbench_history", "postgres").strip());
    }

    /** Runs a program of it, or any, as its user. */
    private String run(String program, String... arguments) throws IOException {
        Process process = start(program, arguments);
        try {
            String said = new String(process.getInputStream().readAllBytes(),
                    StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IOException(program + " failed: " + said);
            }
            return said;
        } catch (InterruptedException e) {
            process.destroyForcibly();
            throw new IOException(e);
        }
    }

    private Process start(String program, String... arguments) throws IOException {
        Path there = programs.resolve(program);
        List<String> line = new ArrayList<>(List.of("setpriv", "--reuid", USER, "--regid", USER,
                "--clear-groups", Files.exists(there) ? there.toString() : program));
        line.addAll(List.of(arguments));
        return new ProcessBuilder(line).directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(program.equals("pgbench") && load == null
                        && List.of(arguments).contains("-T")
                        ? ProcessBuilder.Redirect.to(folder.resolve("bench").toFile())
                        : ProcessBuilder.Redirect.PIPE).start();
    }

    /** Itself and its children. */
    List<Long> everybody() throws IOException {
        List<Long> found = new ArrayList<>(List.of(pid));
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path one : all) {
                long other = Long.parseLong(one.getFileName().toString());
                OptionalLong parent = Processes.parent(other);
                if (parent.isPresent() && parent.getAsLong() == pid) {
                    found.add(other);
                }
            }
        }
        return found;
    }

    @Override
    public void close() throws IOException {
        if (load != null) {
            load.destroyForcibly();
        }
        if (pid > 0 && Processes.isAlive(pid)) {
            List<Path> groups = Frozen.groups(pid);
            List<Long> all = everybody();
            // One that is killed leaves its shared memory behind.
            Processes.signal(pid, startTicks, Processes.Signal.INT);
            Frozen.cleanUp(groups);
            Poll.until(() -> all.stream().noneMatch(Processes::isAlive),
                    () -> "PostgreSQL does not end");
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
