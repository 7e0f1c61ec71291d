package io.pageferry.agent.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.host.process.ChildJvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** An agent as a process of its own, followed by its events. One thread reads. */
public final class AgentProcess implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long END_SECONDS = 5;

    private final Process process;
    private final BufferedReader events;
    private final Path words;
    private ObjectNode report;

    private AgentProcess(Process process, Path words) {
        this.process = process;
        this.words = words;
        this.events = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /**
     * Starts an agent.
     *
     * @param jvm       more JVM options
     * @param arguments of the command, {@code --json} among them
     * @param words     takes its stderr, or null to show it
     * @return the agent
     * @throws IOException when it cannot be started
     */
    public static AgentProcess start(List<String> jvm, List<String> arguments, Path words)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(ChildJvm.command(jvm, arguments));
        builder.redirectInput(Path.of("/dev/null").toFile());
        builder.redirectError(words == null ? ProcessBuilder.Redirect.INHERIT
                : ProcessBuilder.Redirect.appendTo(words.toFile()));
        return new AgentProcess(builder.start(), words);
    }

    /**
     * Reads events until one of a name comes.
     *
     * @param name to wait for
     * @param each gets every event on the way, that one too
     * @return the event, or null when the agent ended without it
     * @throws IOException when its output cannot be read
     */
    public JsonNode await(String name, Consumer<ObjectNode> each) throws IOException {
        for (String line = events.readLine(); line != null; line = events.readLine()) {
            if (JSON.readTree(line) instanceof ObjectNode event) {
                if (event.path("event").asText().equals("report")) {
                    report = event;
                }
                each.accept(event);
                if (event.path("event").asText().equals(name)) {
                    return event;
                }
            }
        }
        return null;
    }

    /**
     * Waits for its end.
     *
     * @return its exit code
     * @throws IOException when its output cannot be read
     */
    public int exitCode() throws IOException {
        await("", event -> { });
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while an agent ended", e);
        }
    }

    /** {@return its report, once it was read, else null} */
    public ObjectNode report() {
        return report;
    }

    /** {@return what it wrote to stderr, where that was kept} */
    public String words() throws IOException {
        return words == null || !Files.exists(words) ? "" : Files.readString(words);
    }

    /** Asks it to end, as Ctrl-C would. */
    public void stop() {
        process.destroy();
    }

    /** {@return its process id} */
    public long pid() {
        return process.pid();
    }

    /** Ends it, by force where it does not go. Idempotent. */
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            events.close();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            // It is gone; so is its output.
        }
    }
}
