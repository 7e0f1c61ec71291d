package io.pageferry.agent.e2e;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * A command of Pageferry as a process of its own, whose events a thread collects. All methods may
 * be called from any thread.
 */
final class Agent implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long LOOK_MILLIS = 20;

    private final Process process;
    private final long startTicks;
    private final Path words;
    private final String what;
    private final Path holding;
    private final Thread reader;
    private final Map<Long, Long> withheld = new HashMap<>();

    // Guarded by this.
    private final List<ObjectNode> events = new ArrayList<>();
    private boolean ended;

    /**
     * How to start one.
     *
     * @param prefix    a program that runs it, with its arguments; often empty
     * @param jvm       options of the JVM
     * @param arguments of the command; {@code --json} is added
     * @param hold      the state at which it stands still until {@link #goOn}, see {@link Hold};
     *     empty: at none
     */
    record Start(List<String> prefix, List<String> jvm, List<String> arguments, String hold) {
        /** One that stands still nowhere. */
        Start(List<String> prefix, List<String> jvm, List<String> arguments) {
            this(prefix, jvm, arguments, "");
        }
    }

    private Agent(Process process, Path words, String what) throws IOException {
        this.process = process;
        this.startTicks = Processes.startTicks(process.pid()).orElse(-1);
        this.words = words;
        this.holding = Path.of(words + "-hold");
        this.what = what;
        this.reader = Thread.ofPlatform().daemon().name("events of " + what).start(this::read);
    }

    /** Starts it with a temporary folder of its own, for locks too, which its guard has too. */
    static Agent start(Start start, Path temporary, Path words) throws IOException {
        String folder = temporaryOption(temporary);
        List<String> jvm = new ArrayList<>();
        jvm.addAll(start.jvm());
        if (!start.hold().isEmpty()) {
            Path holding = Files.createFile(Path.of(words + "-hold"));
            jvm.addAll(List.of("-D" + Hold.PROPERTY + "=" + start.hold(),
                    "-D" + Hold.WHILE + "=" + holding));
        }
        jvm.add(folder);
        List<String> arguments = new ArrayList<>(start.arguments());
        arguments.add("--json");
        List<String> command = new ArrayList<>(start.prefix());
        command.addAll(AgentJars.command(jvm, arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().merge("PAGEFERRY_OPTS", folder, (user, ours) -> user + " " + ours);
        builder.environment().put("PAGEFERRY_LOCK_DIR", temporary.toString());
        builder.redirectInput(Path.of("/dev/null").toFile());
        builder.redirectError(words.toFile());
        return new Agent(builder.start(), words, String.join(" ", arguments));
    }

    /** By it a process of a test is known, its guards too. */
    static String temporaryOption(Path temporary) {
        return "-Djava.io.tmpdir=" + temporary;
    }

    private void read() {
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (JSON.readTree(line) instanceof ObjectNode event) {
                    note(event);
                }
            }
        } catch (IOException e) {
            // The same as its end: nothing more comes.
        } finally {
            note(null);
        }
    }

    private synchronized void note(ObjectNode event) {
        if (event == null) {
            ended = true;
        } else {
            events.add(event);
        }
        notifyAll();
    }

    /** Waits for an event, which may have come already; fails when the command ends without. */
    synchronized ObjectNode await(String wanted, Predicate<ObjectNode> test) throws IOException {
        long deadline = System.nanoTime() + Poll.LIMIT.toNanos();
        int next = 0;
        while (true) {
            for (; next < events.size(); next++) {
                if (test.test(events.get(next))) {
                    return events.get(next);
                }
            }
            long left = deadline - System.nanoTime();
            if (ended || left <= 0) {
                throw new AssertionError("no " + wanted + " of " + this);
            }
            waitFor(left);
        }
    }

    private synchronized void waitFor(long nanos) {
        try {
            wait(Math.max(1, nanos / 1_000_000));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    /** Waits for a change of state. */
    void awaitState(String state) throws IOException {
        await("state " + state, event -> is(event, "state")
                && event.path("state").asText().equals(state));
    }

    /** Waits until it stands where {@link Start#hold} has it stand. */
    void awaitHold(String hold) throws IOException {
        if (hold.equals("paused")) {
            await("last round", event -> is(event, "round")
                    && event.path("phase").asText().equals("stop-and-copy"));
        } else if (hold.startsWith("round ")) {
            await(hold, event -> is(event, "round")
                    && hold.equals("round " + event.path("round").asInt()));
        } else {
            awaitState(hold);
        }
    }

    /** Has it go on from where it stands, or not stand there when it comes there. */
    void goOn() throws IOException {
        Files.delete(holding);
    }

    /** {@return where it listens, once it does} */
    String address() throws IOException {
        return await("address", event -> is(event, "listening")).path("address").asText();
    }

    private static boolean is(ObjectNode event, String name) {
        return event.path("event").asText().equals(name);
    }

    /** Waits for its end. */
    int exit() throws IOException {
        try {
            long start = System.nanoTime();
            while (!process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                withheldNanos();
                if (System.nanoTime() - start > Poll.LIMIT.toNanos()) {
                    throw new AssertionError("does not end: " + this);
                }
            }
            reader.join(Poll.LIMIT);
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    /** {@return its events so far} */
    synchronized List<ObjectNode> events() {
        return List.copyOf(events);
    }

    /** {@return the states that it went through so far} */
    List<String> states() {
        return events().stream().filter(event -> is(event, "state"))
                .map(event -> event.path("state").asText()).toList();
    }

    /** {@return its last event, which must be the report; to be asked after its end} */
    ObjectNode report() throws IOException {
        List<ObjectNode> all = events();
        if (all.isEmpty() || !is(all.getLast(), "report")) {
            throw new AssertionError("no report at the end of " + this);
        }
        return all.getLast();
    }

    /** {@return what it and its guard said to people} */
    String words() throws IOException {
        return Files.readString(words);
    }

    /**
     * {@return for how long its threads wanted to run and did not, as far as it was seen: the
     * second number of their schedstat, see Documentation/scheduler/sched-stats.rst of the kernel}
     */
    synchronized long withheldNanos() {
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(
                Path.of("/proc", Long.toString(pid()), "task"))) {
            for (Path task : tasks) {
                withheld.merge(Long.parseLong(task.getFileName().toString()), Long.parseLong(
                        Files.readString(task.resolve("schedstat")).split(" ")[1]), Math::max);
            }
        } catch (IOException | DirectoryIteratorException e) {
            // It has ended, or one of its threads has: what was seen before stands.
        }
        return withheld.values().stream().mapToLong(Long::longValue).sum();
    }

    /** {@return its process id} */
    long pid() {
        return process.pid();
    }

    /** Sends a signal to it alone. */
    void signal(Signal signal) throws LinuxException {
        Processes.signal(pid(), startTicks, signal);
    }

    /** Kills it without a chance to say anything, and waits until it is gone. */
    void kill() throws IOException {
        signal(Signal.KILL);
        exit();
    }

    @Override
    public String toString() {
        try {
            return what + "\n  events: " + events() + "\n  words: " + words();
        } catch (IOException e) {
            return what + "\n  events: " + events();
        }
    }

    /** Ends it where it still runs. Its guard sees that and ends too. */
    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(Poll.LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
