package io.pageferry.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a benchmark as a process of its own, on the JDK of this one. */
public final class BenchProcess {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long LIMIT_MINUTES = 60;
    /** Exit code of a benchmark whose figures are there and miss a bar. */
    private static final int MISSED = 4;

    private BenchProcess() {
    }

    /**
     * Runs a command that prints a benchmark's result as its last line.
     *
     * @param command program and arguments
     * @return the rows
     * @throws IOException when it failed, with its exit code and last words
     */
    public static List<JsonNode> rows(List<String> command) throws IOException {
        List<JsonNode> rows = new ArrayList<>();
        result(command).path("rows").forEach(rows::add);
        return rows;
    }

    /**
     * Runs such a command and returns all of the result.
     *
     * @param command program and arguments
     * @return the result, with rows
     * @throws IOException as above
     */
    public static ObjectNode result(List<String> command) throws IOException {
        List<String> lines = run(command);
        if (JSON.readTree(lines.isEmpty() ? "{}" : lines.getLast()) instanceof ObjectNode result
                && !result.path("rows").isEmpty()) {
            return result;
        }
        throw new IOException("no figures of " + String.join(" ", command));
    }

    /**
     * Runs a command to its end.
     *
     * @param command program and arguments
     * @return what it printed
     * @throws IOException as above
     */
    public static List<String> run(List<String> command) throws IOException {
        Path folder = Folders.temporary();
        File words = folder.resolve("words").toFile();
        Path lines = folder.resolve("lines");
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(new File("/dev/null"))
                .redirectOutput(lines.toFile())
                .redirectError(words);
        builder.environment().put("PAGEFERRY_JAVA_HOME", System.getProperty("java.home"));
        Process process = builder.start();
        try {
            if (!process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)) {
                throw new IOException(String.join(" ", command) + " did not end within "
                        + LIMIT_MINUTES + " minutes");
            }
            if (process.exitValue() != 0 && process.exitValue() != MISSED) {
                throw new IOException("exit code " + process.exitValue() + " of "
                        + String.join(" ", command) + ": " + last(words.toPath()));
            }
            return Files.readAllLines(lines);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
            Folders.delete(folder);
        }
    }

    private static String last(Path words) throws IOException {
        List<String> lines = Files.readAllLines(words).stream()
                .filter(line -> !line.isBlank()).toList();
        return lines.isEmpty() ? "it said nothing" : lines.getLast();
    }
}
