package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.e2e.Agent.Start;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.RunState;
import io.pageferry.agent.guest.qemu.qmp.SavedDevices;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The QEMUs and agents of a test, with a state directory and a temporary folder of their own, so
 * that what is left in them is theirs. Ends them all when it is closed.
 */
final class Rig implements AutoCloseable {
    /** What an agent that is killed in its first second leaves: it warms up beside its work. */
    private static final Pattern OF_A_WARM_UP =
            Pattern.compile("pf\\d+|pageferry-(warm-up|zstd)\\d+");

    private static final String WINDOW = "--reconnect-window";
    private static final String AUDIT = "--audit";
    private static final String SWITCHOVER = "--max-switchover";
    private static final List<String> MOVES = List.of("receive", "migrate", "demo");

    private final Path folder;
    private final Path state;
    private final Path temporary;
    private final List<String> kept = new ArrayList<>();
    private final List<AutoCloseable> parts = new ArrayList<>();
    private int count;
    /** The service whose guards all agents have, or null: each has its own. */
    private Agent guards;
    private String guardPlace = "none";

    Rig(Path folder) throws IOException {
        this.folder = folder;
        this.state = folder.resolve("state");
        this.temporary = Files.createDirectories(folder.resolve("tmp"));
    }

    Path folder() {
        return folder;
    }

    /** {@return the state directory of all agents that are given none} */
    Path state() {
        return state;
    }

    /** {@return the temporary folder of all agents} */
    Path temporary() {
        return temporary;
    }

    /** Lets QEMUs of other users make and reach sockets in the folder of the agents. */
    void openToAll() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxrwxrwx"));
    }

    /** Starts a QEMU that waits for a guest. */
    DemoQemu waiting(DemoMachine machine) throws IOException {
        return keep(DemoQemu.target(machine, folder.resolve("vm" + ++count)));
    }

    /** Starts a QEMU that waits for a state, with a file that is there as its RAM. */
    DemoQemu over(DemoMachine machine, Path memory) throws IOException {
        return keep(DemoQemu.start(machine, folder.resolve("vm" + ++count), memory, true));
    }

    /** Takes over a QEMU that a command of a test started. */
    DemoQemu adopt(DemoMachine machine, Path base, Path memory) throws IOException {
        return keep(DemoQemu.adopt(machine, base, memory));
    }

    /** Starts a QEMU that boots. */
    DemoQemu booting(DemoMachine machine) throws IOException {
        return keep(DemoQemu.source(machine, folder.resolve("vm" + ++count)));
    }

    /** Starts {@code receive --once} into a QEMU, and returns when it listens. */
    Agent receive(DemoQemu qemu, String hold, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("receive", uri(qemu), "--listen",
                "127.0.0.1:0", "--once"));
        arguments.addAll(List.of(more));
        Agent agent = start(hold, arguments);
        agent.address();
        return agent;
    }

    /** Starts {@code migrate} of a QEMU. */
    Agent migrate(DemoQemu qemu, Agent target, String hold, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(
                List.of("migrate", uri(qemu), "--to", target.address()));
        arguments.addAll(List.of(more));
        return start(hold, arguments);
    }

    /** Has all agents that are started from now on guarded by a service. */
    Agent guardService() throws IOException {
        String place = "unix:" + folder.resolve("guard.sock");
        Agent service = command(List.of("guard-service", "--guard", place));
        service.await("ready", event -> event.path("event").asText().equals("ready"));
        guardPlace = place;
        guards = service;
        return service;
    }

    static String uri(DemoQemu qemu) {
        return "qemu:" + qemu.qmp();
    }

    /** Starts any command; an empty hold is none. */
    Agent start(String hold, List<String> arguments) throws IOException {
        return start(new Start(List.of(), List.of(), arguments, hold));
    }

    /** As above, with all that can be said, another state directory too. */
    Agent start(Start start) throws IOException {
        List<String> arguments = new ArrayList<>(start.arguments());
        if (!arguments.contains("--state-dir")) {
            arguments.addAll(List.of("--state-dir", state.toString()));
        }
        // A lost link is the end, and at once, but where a test is about surviving it.
        if (MOVES.contains(arguments.getFirst()) && !arguments.contains(WINDOW)) {
            arguments.addAll(List.of(WINDOW, "0s"));
        }
        // On a busy host a pause may be longer than the usual 10 s, or is predicted so, as where an
        // agent was held in a round: that is a limit of tests that give one.
        if (arguments.getFirst().equals("migrate") && !arguments.contains(SWITCHOVER)) {
            arguments.addAll(List.of(SWITCHOVER, "60s"));
        }
        if (arguments.getFirst().equals("migrate") && !arguments.contains(AUDIT)) {
            arguments.add(AUDIT);
        }
        List<String> jvm = new ArrayList<>(start.jvm());
        jvm.add("-Dpageferry.guard=" + guardPlace);
        return keep(Agent.start(new Start(start.prefix(), jvm, arguments, start.hold()),
                temporary, folder.resolve("words" + ++count)));
    }

    /** Starts a command that knows no state directory. */
    Agent command(List<String> arguments) throws IOException {
        return command(new Start(List.of(), List.of(), arguments));
    }

    /** As above, with all that can be said. */
    Agent command(Start start) throws IOException {
        return keep(Agent.start(start, temporary, folder.resolve("words" + ++count)));
    }

    private <T extends AutoCloseable> T keep(T part) {
        parts.addFirst(part);
        return part;
    }

    /** Ends one part before the others. */
    void end(AutoCloseable part) throws IOException {
        parts.remove(part);
        close(part);
    }

    /** What a QEMU says of itself: running, paused, inmigrate and so on; gone where it ended. */
    static String condition(DemoQemu qemu) throws IOException {
        if (!qemu.process().isAlive()) {
            return "gone";
        }
        try (QemuControl control = qemu.control()) {
            RunState state = control.status().state();
            return state == RunState.PAUSED && SavedDevices.isMarked(control) ? "saved"
                    : state.toString();
        } catch (IOException e) {
            if (!qemu.process().isAlive()) {
                return "gone";
            }
            throw e;
        }
    }

    /** Whether nobody talks to its monitor any more and it waits for a guest, as at first. */
    static boolean isFree(DemoQemu qemu) throws IOException {
        Traces traces = Traces.of(qemu.process().pid());
        // Its monitor listens; a vhost-user device has a connection, and one the other way; a disk
        // over NBD has one.
        String more = qemu.machine().more().toString();
        int own = more.contains("vhost-user") ? 3 : more.contains("file=nbd:") ? 2 : 1;
        return traces.descriptors().getOrDefault("socket:", 0) <= own && traces.isUntracked();
    }

    /** What agents leave in their temporary folder because a guest needs it. */
    void keeps(Path file) {
        kept.add(file.getFileName().toString());
    }

    /** Waits until no process of these agents is there, and nothing of theirs but journals. */
    void awaitNothingLeft() throws IOException {
        Poll.until(() -> left().isEmpty(), () -> {
            try {
                return "left behind: " + left();
            } catch (IOException e) {
                return "left behind, and " + e;
            }
        });
    }

    private List<String> left() throws IOException {
        List<String> left = new ArrayList<>();
        for (Long pid : processes()) {
            left.add("process " + pid + ": " + commandLine(pid));
        }
        left.addAll(files(state).filter(name -> !name.endsWith(".journal")).toList());
        // lz4-java unpacks its code there, and what a killed process left it removes when it is
        // started an hour later.
        left.addAll(files(temporary).filter(name -> !name.startsWith("liblz4-java-")
                && !OF_A_WARM_UP.matcher(name).matches() && !kept.contains(name)).toList());
        return left;
    }

    /** {@return the one file of a guest's lock that is there} */
    Path onlyLock() throws IOException {
        List<Path> locks = locks();
        assertEquals(1, locks.size(), locks::toString);
        return locks.getFirst();
    }

    /** Of guests. */
    List<Path> locks() throws IOException {
        return files(temporary).filter(name -> name.endsWith(".lock")).map(temporary::resolve)
                .toList();
    }

    private static Stream<String> files(Path folder) throws IOException {
        List<String> names = new ArrayList<>();
        if (Files.exists(folder)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
                files.forEach(file -> names.add(file.getFileName().toString()));
            }
        }
        return names.stream();
    }

    /** {@return the guard of an agent} */
    long guardOf(Agent agent) throws IOException {
        for (Long pid : processes()) {
            String line = commandLine(pid);
            if (line.endsWith(" guard ") && ProcessHandle.of(pid).flatMap(ProcessHandle::parent)
                    .map(parent -> parent.pid() == agent.pid()).orElse(false)) {
                return pid;
            }
        }
        throw new AssertionError("no guard of " + agent);
    }

    /** All agents and guards that were started with our temporary folder. */
    private List<Long> processes() throws IOException {
        List<Long> found = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path one : all) {
                long pid = Long.parseLong(one.getFileName().toString());
                if ((guards == null || guards.pid() != pid)
                        && commandLine(pid).contains(Agent.temporaryOption(temporary))) {
                    found.add(pid);
                }
            }
        }
        return found;
    }

    /** Empty for a process that ended, also where nobody has reaped it. */
    private static String commandLine(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/cmdline"),
                    StandardCharsets.ISO_8859_1).replace('\0', ' ');
        } catch (IOException e) {
            return "";
        }
    }

    @Override
    public void close() throws IOException {
        IOException failed = null;
        for (AutoCloseable part : parts) {
            try {
                close(part);
            } catch (IOException e) {
                failed = e;
            }
        }
        parts.clear();
        if (failed != null) {
            throw failed;
        }
    }

    private static void close(AutoCloseable part) throws IOException {
        try {
            part.close();
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }
}
