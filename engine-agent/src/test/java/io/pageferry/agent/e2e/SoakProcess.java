package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.guest.image.StoredImage;
import io.pageferry.agent.report.Output;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** The target process of a soak, and what it said. Any thread. */
final class SoakProcess implements AutoCloseable {
    private static final String MAIN = "io.pageferry.agent.session.SoakTarget";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Process process;
    private final Path words;

    // Guarded by this.
    private final Map<String, ObjectNode> ended = new HashMap<>();
    private final Set<String> nothing = new HashSet<>();
    private final List<ObjectNode> answers = new ArrayList<>();
    private int port;
    private boolean over;

    private SoakProcess(Process process, Path words) {
        this.process = process;
        this.words = words;
        Thread.ofPlatform().daemon().name("soaked target").start(this::read);
    }

    /**
     * Starts it in a folder of its own, where files are counted, with a heap of one size: what
     * grows besides is no heap.
     */
    static SoakProcess start(Path parent) throws IOException {
        return start(parent, "none");
    }

    /** The same with the guards of a {@code guard-service}, as {@code unix:PATH}. */
    static SoakProcess start(Path parent, String guards) throws IOException {
        Path folder = Files.createDirectories(parent.resolve("soaked"));
        Path words = folder.resolve("target-words");
        List<String> command = new ArrayList<>(AgentJars.command(List.of("-Xms96m", "-Xmx96m",
                "-XX:+AlwaysPreTouch", "-Dpageferry.guard=" + guards), List.of()));
        command.set(command.size() - 1, MAIN);
        command.add(folder.toString());
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("PAGEFERRY_LOCK_DIR",
                Files.createDirectories(folder.resolve("locks")).toString());
        SoakProcess started = new SoakProcess(
                builder.redirectError(words.toFile()).start(), words);
        Poll.until(() -> started.port() != 0 || started.isOver(), started::said);
        return started;
    }

    private void read() {
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                note((ObjectNode) JSON.readTree(line));
            }
        } catch (IOException e) {
            // The same as its end.
        } finally {
            synchronized (this) {
                over = true;
            }
        }
    }

    private synchronized void note(ObjectNode line) {
        switch (line.path("event").asText()) {
            case "listening" -> port = line.path("port").asInt();
            case "ended" -> ended.put(line.path("migration").asText(), line);
            default -> answers.add(line);
        }
    }

    synchronized int port() {
        return port;
    }

    private synchronized boolean isOver() {
        return over;
    }

    boolean isThere() {
        return !isOver();
    }

    private String said() {
        try {
            return "the target says nothing; " + Files.readString(words);
        } catch (IOException e) {
            return "the target says nothing; " + e;
        }
    }

    private ObjectNode ask(String order) throws IOException {
        OutputStream in = process.getOutputStream();
        in.write((order + "\n").getBytes(StandardCharsets.UTF_8));
        in.flush();
        Poll.until(() -> isOver() || isAnswered(), this::said);
        synchronized (this) {
            return answers.removeFirst();
        }
    }

    private synchronized boolean isAnswered() {
        return !answers.isEmpty();
    }

    /** Gives it so many slots; those that go must be free. */
    void resize(int slots) throws IOException {
        assertEquals(slots, ask("slots " + slots).path("slots").asInt());
    }

    /** Waits until a migration completed here too; its image is right, and is deleted. */
    void awaitCompleted(String migration) throws IOException {
        Poll.until(() -> isOver() || end(migration) != null, this::said);
        ObjectNode line = end(migration);
        assertEquals("completed", line.path("result").asText(), line::toString);
        requireRight(line);
    }

    private synchronized ObjectNode end(String migration) {
        return ended.get(migration);
    }

    private static void requireRight(ObjectNode line) throws IOException {
        if (line.has("image")) {
            requireRight(Path.of(line.path("image").asText()));
        } else {
            assertEquals(0, line.at("/report/guestCheck/failures").asLong(-1), line::toString);
        }
    }

    /** Fails where an image is not what was stored; deletes it. */
    private static void requireRight(Path image) throws IOException {
        Output nowhere = new Output(new PrintStream(OutputStream.nullOutputStream()),
                System.err, false);
        assertEquals(0, StoredImage.open(image).verify(nowhere), image::toString);
        for (String end : List.of("", ".state", ".table")) {
            Files.delete(Path.of(image + end));
        }
    }

    /** A migration must not have completed here. */
    synchronized void expectNothing(String migration) {
        nothing.add(migration);
    }

    /**
     * Waits until nothing is under way, looks at what came of killed sources, and returns the
     * figures of a moment at which their number was the least.
     */
    ObjectNode figures() throws IOException {
        ObjectNode[] now = {ask("figures")};
        Poll.until(() -> {
            now[0] = ask("figures");
            return now[0].path("busy").asInt() == 0;
        }, () -> "it stays busy: " + now[0]);
        synchronized (this) {
            for (ObjectNode line : ended.values()) {
                boolean completed = line.path("result").asText().equals("completed");
                if (completed) {
                    assertEquals(false, nothing.contains(line.path("migration").asText()),
                            line::toString);
                }
                if (completed && line.has("image")
                        && Files.exists(Path.of(line.path("image").asText()))) {
                    requireRight(line);
                }
            }
            ended.clear();
        }
        return ask("figures");
    }

    @Override
    public void close() throws IOException {
        process.getOutputStream().close();
        try {
            if (!process.waitFor(Poll.LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        assertNotEquals(1, process.exitValue(), this::said);
    }
}
