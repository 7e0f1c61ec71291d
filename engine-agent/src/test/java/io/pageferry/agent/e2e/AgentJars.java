package io.pageferry.agent.e2e;

import io.pageferry.agent.host.process.ChildJvm;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Packs the classes that agents of tests run from into jars, and has a JVM learn from a warm-up,
 * as the launcher does (docs/adr/0004): it saves a fifth of what a start costs, hundreds of times.
 * A JVM learns from jars only. Made once, by the first that starts an agent.
 */
public final class AgentJars {
    /**
     * Without the optimising compiler, with a tenth of what the other one compiles, and without
     * warm-ups, agents move as well for a third of what a start costs; nothing is timed here.
     */
    private static final List<String> FLAGS = List.of("-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC", "-XX:CompileThresholdScaling=10", "-Dpageferry.warmups=0");

    private static final AgentJars ONCE = make();

    private final String classPath;
    private final Path cache;

    private AgentJars(String classPath, Path cache) {
        this.classPath = classPath;
        this.cache = cache;
    }

    /** {@return the command line of an agent, with more options of its JVM} */
    public static List<String> command(List<String> more, List<String> arguments) {
        List<String> jvm = new ArrayList<>(FLAGS);
        if (Files.exists(ONCE.cache)) {
            jvm.addAll(List.of("-XX:AOTCache=" + ONCE.cache, "-Dpageferry.cache=" + ONCE.cache));
        }
        jvm.addAll(more);
        return ONCE.withJars(ChildJvm.command(jvm, arguments));
    }

    private List<String> withJars(List<String> command) {
        List<String> from = new ArrayList<>(command);
        from.set(from.indexOf("-cp") + 1, classPath);
        return from;
    }

    private static AgentJars make() {
        try {
            Path folder = Path.of("target", "agent-jars").toAbsolutePath();
            clear(folder);
            List<String> entries = new ArrayList<>();
            for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
                entries.add(Files.isDirectory(Path.of(entry)) ? pack(Path.of(entry),
                        folder.resolve(entries.size() + ".jar")).toString() : entry);
            }
            AgentJars jars = new AgentJars(String.join(File.pathSeparator, entries),
                    folder.resolve("agent.aot"));
            jars.warmUp(folder.resolve("warm-up"));
            return jars;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void clear(Path folder) throws IOException {
        Files.createDirectories(folder);
        try (Stream<Path> old = Files.walk(folder)) {
            for (Path one : old.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(one);
            }
        }
        Files.createDirectories(folder);
    }

    private static Path pack(Path classes, Path jar) throws IOException {
        try (OutputStream out = Files.newOutputStream(jar);
                ZipOutputStream zip = new ZipOutputStream(out);
                Stream<Path> files = Files.walk(classes)) {
            zip.setLevel(Deflater.NO_COMPRESSION);
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                zip.putNextEntry(new ZipEntry(classes.relativize(file).toString()));
                Files.copy(file, zip);
                zip.closeEntry();
            }
        }
        return jar;
    }

    /** Where it fails there is no cache, and agents start all the same. */
    private void warmUp(Path words) throws IOException {
        List<String> jvm = new ArrayList<>(FLAGS.subList(0, 3));
        jvm.add("-XX:AOTCacheOutput=" + cache);
        Process process = new ProcessBuilder(withJars(ChildJvm.command(jvm, List.of("warm-up"))))
                .redirectErrorStream(true).redirectOutput(words.toFile())
                .redirectInput(Path.of("/dev/null").toFile()).start();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
