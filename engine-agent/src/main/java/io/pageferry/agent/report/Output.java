package io.pageferry.agent.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.core.words.Printable;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Where a command writes: with {@code --json} one object per line to stdout and human text to
 * stderr, else human text to stdout and progress to stderr. Safe for any thread.
 */
public final class Output {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final PrintStream stdout;
    private final PrintStream stderr;
    private final boolean json;
    /** Which of several targets it is about; empty where there is one. */
    private final String target;

    /**
     * Makes an output.
     *
     * @param stdout the process's, or a test's
     * @param stderr likewise
     * @param json   whether {@code --json} was given
     */
    public Output(PrintStream stdout, PrintStream stderr, boolean json) {
        this(stdout, stderr, json, "");
    }

    private Output(PrintStream stdout, PrintStream stderr, boolean json, String target) {
        this.stdout = stdout;
        this.stderr = stderr;
        this.json = json;
        this.target = target;
    }

    /**
     * Makes an output to the same for what concerns one of several targets: each event and each
     * line of progress says which.
     *
     * @param name of the target
     * @return the output
     */
    public Output about(String name) {
        return new Output(stdout, stderr, json, name);
    }

    /** {@return an empty JSON object to fill} */
    public static ObjectNode object() {
        return JSON.createObjectNode();
    }

    /**
     * Begins an event.
     *
     * @param name what happened
     * @return an object with the name in it
     */
    public static ObjectNode event(String name) {
        return object().put("event", name);
    }

    /** {@return whether events are written} */
    public boolean isJson() {
        return json;
    }

    /**
     * Writes an event, where events are asked for.
     *
     * @param event one object
     */
    public synchronized void emit(ObjectNode event) {
        if (json) {
            if (!target.isEmpty()) {
                event.put("to", target);
            }
            try {
                stdout.println(JSON.writeValueAsString(event));
                stdout.flush();
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("a tree always has a text", e);
            }
        }
    }

    /**
     * Writes what a person asked for.
     *
     * @param line without its end
     */
    public synchronized void human(String line) {
        (json ? stderr : stdout).println(shown(line));
    }

    /**
     * Writes progress, or trouble.
     *
     * @param line without its end
     */
    public synchronized void note(String line) {
        stderr.println(shown(target.isEmpty() ? line : target + "  " + line));
    }

    /** A net behind what is escaped where it is read: names of files, of drives, of devices. */
    private static String shown(String text) {
        return text.lines().map(line -> Arrays.stream(line.split("\t", -1)).map(Printable::of)
                .collect(Collectors.joining("\t"))).collect(Collectors.joining("\n"));
    }

    /**
     * Writes over the present line of a terminal.
     *
     * @param line without its end; empty to wipe it
     */
    public synchronized void overwrite(String line) {
        stderr.print("\r" + Printable.of(line) + "\u001b[K");
        stderr.flush();
    }
}
