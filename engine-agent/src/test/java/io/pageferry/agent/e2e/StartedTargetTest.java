package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.ProcessMark;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Targets that nobody prepared: {@code describe} at the source, {@code receive --start}. */
@Sampled
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StartedTargetTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Of a cancel; without it QEMU is waited for, for a minute and more. */
    private static final long CANCEL_MILLIS = 20_000;

    private Path folder;
    private Rig rig;
    private MovingGuest home;
    private Path initrd;
    private int count;

    @BeforeAll
    void boot(@TempDir Path own) throws IOException {
        E2e.needTracking();
        folder = own;
        rig = new Rig(folder);
        Path disk = folder.resolve("a disk.qcow2");
        DiskGuest.run("qemu-img", "create", "-q", "-f", "qcow2", disk.toString(), "8M");
        DemoMachine machine = new DemoMachine(TestMachines.tools(), E2e.CALM, E2e.MEMORY, 1,
                DemoMachine.Memory.FILE, List.of(
                "-drive", "if=none,id=disk,format=qcow2,file=" + disk,
                "-device", "virtio-blk-pci,drive=disk,id=disk0",
                "-netdev", "user,id=n0",
                "-device", "virtio-net-pci,netdev=n0,mac=52:54:00:12:34:01"));
        home = MovingGuest.boot(rig, machine);
        initrd = Files.copy(Path.of(home.qemu().qmp().toString()
                .replaceFirst("qmp$", "cpio.gz")), folder.resolve("initrd"));
        try (QemuControl qemu = home.qemu().control()) {
            qemu.qmp().execute("object-add", arguments("{'qom-type':'rng-builtin','id':'r1'}"));
            qemu.qmp().execute("device_add",
                    arguments("{'driver':'virtio-rng-pci','id':'rng1','rng':'r1'}"));
        }
        home.remember();
    }

    private static ObjectNode arguments(String json) throws IOException {
        return (ObjectNode) JSON.readTree(json.replace('\'', '"'));
    }

    @AfterAll
    void end() throws IOException {
        if (rig != null) {
            rig.close();
        }
    }

    /** Describes the guest, and gives the target's files names of its own where they are marked. */
    private Path startFile(String base) throws IOException {
        Agent describe = rig.command(List.of("describe", Rig.uri(home.qemu())));
        assertEquals(0, describe.exit(), describe::toString);
        ObjectNode said = describe.events().getFirst();
        assertEquals("description", said.path("event").asText());
        String here = home.qemu().qmp().toString().replaceFirst("\\.qmp$", ".");
        String memory = home.qemu().memoryFile().toString();
        List<String> lines = new ArrayList<>();
        boolean marked = false;
        for (String line : said.path("file").asText().split("\n")) {
            // The disk is on shared storage.
            boolean ours = marked && !line.startsWith("#");
            lines.add(!ours ? line : line.startsWith("-initrd") ? "-initrd " + initrd
                    : line.replace(here, folder.resolve(base) + ".")
                    .replace(memory, memory(base).toString()));
            marked = line.startsWith("# host ") || marked && line.startsWith("#");
        }
        return Files.write(folder.resolve(base + ".start"), lines);
    }

    private Path memory(String base) {
        return Path.of("/dev/shm", "pageferry-demo-" + ProcessHandle.current().pid() + "-"
                + Integer.toHexString(folder.hashCode()) + "-" + base);
    }

    private Agent receive(Path file) throws IOException {
        Agent agent = rig.start("", List.of("receive", "--start", file.toString(), "--listen",
                "127.0.0.1:0"));
        agent.address();
        return agent;
    }

    /** Where the QEMU is that it started: the folder of its monitor. */
    private static Path started(Agent agent) throws IOException {
        String line = agent.await("start", StartedTargetTest::isStart).path("message").asText();
        return Path.of(line.substring(line.indexOf(" as qemu:") + " as qemu:".length()))
                .getParent();
    }

    private static boolean isStart(ObjectNode event) {
        return event.path("message").asText().startsWith("started what ");
    }

    private static ProcessMark process(Path started) throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc"))) {
            for (Path one : all.filter(path -> path.getFileName().toString().matches("\\d+"))
                    .toList()) {
                if (commandLine(one).contains("unix:" + started + "/qmp,")) {
                    return ProcessMark.of(Long.parseLong(one.getFileName().toString()));
                }
            }
        }
        throw new AssertionError("no QEMU of " + started);
    }

    private static String commandLine(Path process) {
        try {
            return Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }

    @Test
    void aDescribedGuestGoesOnInAQemuThatReceiveStarts() throws IOException {
        String base = "there" + ++count;
        Agent target = receive(startFile(base));
        Path place = started(target);
        long pid = process(place).pid();
        // Nothing of the agent is in it: no session, no descriptor, no terminal.
        String[] stat = Files.readString(Path.of("/proc/" + pid + "/stat")).split("\\) ")[1]
                .split(" ");
        assertEquals(Long.toString(pid), stat[3], "its session");
        assertEquals(Path.of("/dev/null"),
                Files.readSymbolicLink(Path.of("/proc/" + pid + "/fd/0")));
        Agent source = rig.start("", List.of("migrate", Rig.uri(home.qemu()), "--to",
                target.address()));
        E2e.assertEnds(0, "completed", source);
        assertTrue(source.report().at("/verification/match").asBoolean(), source::toString);
        target.await("report", event -> event.path("event").asText().equals("report")
                && event.path("result").asText().equals("completed"));
        // It goes on answering; the guest needs it no more.
        target.kill();
        rig.keeps(rig.onlyLock());
        DemoQemu qemu = rig.adopt(home.machine(), folder.resolve(base), memory(base));
        home.livesOnAt(qemu);
        assertEquals(pid, qemu.process().pid());
        rig.keeps(place);
        rig.awaitNothingLeft();
        try (QemuControl ours = QemuControl.connect(place.resolve("qmp"))) {
            assertEquals("virtio-rng-pci", QemuProbe.read(ours).devices().get("rng1"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"receiving", "ready"})
    void aTargetThatIsKilledLeavesNothingAndTheGuestStays(String state) throws IOException {
        String base = "killed" + ++count;
        Agent target = rig.start(state, List.of("receive", "--start",
                startFile(base).toString(), "--listen", "127.0.0.1:0"));
        target.address();
        Path place = started(target);
        ProcessMark qemu = process(place);
        Agent source = rig.start("", List.of("migrate", Rig.uri(home.qemu()), "--to",
                target.address()));
        target.awaitHold(state);
        target.kill();
        E2e.assertEnds(4, "failed", source);
        awaitGone(qemu, place, base);
        home.livesOn();
    }

    private void awaitGone(ProcessMark qemu, Path place, String base) throws IOException {
        Poll.until(() -> !qemu.isAlive() && !Files.exists(place), () -> "QEMU stays: " + qemu);
        for (String suffix : List.of(".pid", ".qmp")) {
            assertFalse(Files.exists(folder.resolve(base + suffix)), suffix);
        }
        assertFalse(Files.exists(memory(base)));
    }

    /** A machine that waits; nobody ever comes. */
    private Path bare(String base) throws IOException {
        return Files.write(folder.resolve(base + ".start"), List.of(
                TestMachines.tools().qemu().toString(), "-nodefaults", "-display none",
                "-machine pc", "-accel tcg", "-m 16M",
                "-object memory-backend-file,id=ram,size=16M,share=on,mem-path=" + memory(base),
                "-machine memory-backend=ram", "-pidfile " + folder.resolve(base + ".pid"),
                "-qmp unix:" + folder.resolve(base + ".qmp") + ",server=on,wait=off",
                "-S", "-incoming defer"));
    }

    @Test
    void oneThatWaitsEndsWithTheAgentHoweverThatEnds() throws IOException {
        for (Signal signal : List.of(Signal.KILL, Signal.TERM)) {
            String base = signal + "-" + ++count;
            Agent target = receive(bare(base));
            Path place = started(target);
            ProcessMark qemu = process(place);
            assertTrue(Files.exists(memory(base)));
            target.signal(signal);
            assertEquals(signal == Signal.KILL ? 137 : 7, target.exit(), target::toString);
            awaitGone(qemu, place, base);
        }
        rig.awaitNothingLeft();
    }

    /** A program that never makes a monitor, and does not obey SIGTERM. */
    @Test
    void oneThatDoesNotAnswerYetIsEndedByACancelAtOnce() throws IOException {
        Path began = folder.resolve("began");
        Path program = program("silent-qemu", silence(began));
        Path file = Files.write(folder.resolve("silent.start"), List.of(program.toString(),
                "-S", "-incoming defer"));
        Agent target = rig.start("", List.of("receive", "--start", file.toString(), "--listen",
                "127.0.0.1:0", "--once"));
        ProcessMark qemu = cancelled(target, began);
        assertTrue(target.report().at("/error/reason").asText().contains(
                "cancelled before QEMU (pid " + qemu.pid() + ") answered"), target::toString);
        rig.awaitNothingLeft();
    }

    /** Silent is the one that is to wait for the next guest, after a move that failed. */
    @Test
    void theNextOneThatDoesNotAnswerIsEndedByACancelToo() throws IOException {
        Path began = folder.resolve("began-again");
        Path first = folder.resolve("first");
        Path file = startFile("next" + ++count);
        List<String> lines = new ArrayList<>(Files.readAllLines(file));
        int word = lines.indexOf(TestMachines.tools().qemu().toString());
        lines.set(word, program("next-qemu", "if mkdir " + first + "; then\nexec "
                + lines.get(word) + " \"$@\"\nfi\n" + silence(began)).toString());
        Agent target = receive(Files.write(file, lines));
        Agent source = rig.start("round 0", List.of("migrate", Rig.uri(home.qemu()), "--to",
                target.address()));
        source.awaitHold("round 0");
        source.kill();
        cancelled(target, began);
        assertEquals("no guest came", target.report().at("/error/reason").asText());
        home.livesOn();
        rig.awaitNothingLeft();
    }

    private Path program(String name, String script) throws IOException {
        Path program = Files.writeString(folder.resolve(name), "#!/bin/sh\n" + script);
        return Files.setPosixFilePermissions(program,
                PosixFilePermissions.fromString("rwx------"));
    }

    private static String silence(Path began) {
        return "trap '' TERM\necho $$ >" + began + "\nwhile :; do sleep 1; done\n";
    }

    /** Cancels one that waits for a QEMU which has begun and is silent; returns that QEMU. */
    private static ProcessMark cancelled(Agent target, Path began) throws IOException {
        Poll.until(() -> Files.exists(began) && !Files.readString(began).isBlank(),
                target::toString);
        ProcessMark qemu = ProcessMark.of(Long.parseLong(Files.readString(began).strip()));
        long start = System.nanoTime();
        long withheld = target.withheldNanos();
        target.signal(Signal.TERM);
        E2e.assertEnds(7, "cancelled", target);
        long millis = (System.nanoTime() - start - (target.withheldNanos() - withheld))
                / 1_000_000;
        assertTrue(millis < CANCEL_MILLIS, () -> millis + " ms: " + target);
        assertFalse(qemu.isAlive());
        return qemu;
    }

    @Test
    void aGuardThatDiesIsReplaced() throws IOException {
        String base = "guard" + ++count;
        Agent target = receive(bare(base));
        Path place = started(target);
        ProcessMark qemu = process(place);
        long guard = rig.guardOf(target);
        ProcessHandle.of(guard).orElseThrow().destroyForcibly();
        target.await("another guard", event -> event.path("message").asText()
                .equals("the guard process ended; another one was started"));
        assertTrue(qemu.isAlive());
        target.kill();
        awaitGone(qemu, place, base);
    }

    @Test
    void oneThatDoesNotStartSaysWhyInOneLine() throws IOException {
        Path file = bare("bad" + ++count);
        Files.writeString(file, Files.readString(file).replace("-m 16M", "-m 16X"));
        Agent target = rig.start("", List.of("receive", "--start", file.toString(), "--listen",
                "127.0.0.1:0", "--once"));
        E2e.assertEnds(3, "refused", target);
        String why = target.report().at("/error/reason").asText();
        assertTrue(why.contains("QEMU ended: ") && why.contains("-m 16X"), why);
        rig.awaitNothingLeft();
    }

    @Test
    void oneThatEndsWhileItWaitsEndsTheCommand() throws IOException {
        Agent target = receive(bare("ends" + ++count));
        process(started(target)).kill();
        E2e.assertEnds(3, "refused", target);
        assertTrue(target.report().at("/error/reason").asText().contains("ended"),
                target::toString);
        rig.awaitNothingLeft();
    }

    @Test
    void anotherOneIsStartedAndLockedAfterAMoveThatFailed() throws IOException {
        Agent target = receive(startFile("again" + ++count));
        started(target);
        Path lock = rig.onlyLock();
        Agent source = rig.start("round 0", List.of("migrate", Rig.uri(home.qemu()), "--to",
                target.address()));
        source.awaitHold("round 0");
        source.kill();
        Poll.until(() -> target.events().stream().filter(StartedTargetTest::isStart).count() == 2,
                target::toString);
        Poll.until(() -> rig.locks().size() == 1 && !rig.locks().contains(lock),
                () -> "the first one's lock was " + lock);
        target.signal(Signal.TERM);
        assertEquals(7, target.exit(), target::toString);
        home.livesOn();
    }
}
