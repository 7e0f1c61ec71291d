package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.ConsoleLog;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.RunState;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Real QEMU guests, moved by {@code receive} and {@code migrate} as two commands. The guest
 * checks itself: after every move it ticks on, missed no tick and found no wrong page.
 *
 * <p>Two hops here, and one move at one of three write rates, drawn by the seed of the run; five
 * hops and 20 moves in the full run, see CONTRIBUTING.md.
 */
@Tag("full")
class QemuMoveTest extends WithGuest {
    private static final int HOPS = Draw.FULL ? 5 : 2;
    private static final int MOVES = Draw.FULL ? 20 : 1;

    /** 1, 8 and 40 MiB/s; what is beyond 12 MiB/s is not checked page by page. */
    private static final List<GuestLoad> RATES = List.of(
            new GuestLoad(10, 32, 1 << 10, 0, 0, false),
            new GuestLoad(10, 32, 8 << 10, 0, 0, true),
            new GuestLoad(10, 16, 4 << 10, 32, 36 << 10, true));

    @Override
    GuestLoad load() {
        return new GuestLoad(10, 48, 8 << 10, 0, 0, false);
    }

    @Test
    void severalHopsUnderAWriteLoad() throws IOException {
        for (int hop = 0; hop < HOPS; hop++) {
            move(home);
        }
        long written = home.log().ticks().getLast().pages();
        Poll.until(() -> home.log().ticks().getLast().pages() > written,
                () -> "it writes no more");
    }

    @Test
    void whatIsKeptStaysPausedAtTheSource() throws IOException {
        DemoQemu next = rig.waiting(home.machine());
        Agent target = rig.receive(next, "");
        E2e.assertMoved(rig.migrate(home.qemu(), target, "", "--after", "keep"), target);
        rig.awaitNothingLeft();
        assertEquals("saved", Rig.condition(home.qemu()));
        assertTrue(Traces.of(home.qemu().process().pid()).isUntracked());
        Agent again = rig.start("", List.of("migrate", Rig.uri(home.qemu()), "--to",
                "127.0.0.1:9"));
        E2e.assertEnds(3, "refused", again);
        assertTrue(again.report().at("/error/reason").asText().contains("was saved by a move"),
                again::toString);
        long ticks = ConsoleLog.read(home.qemu().console()).lastTick();
        home.livesOnAt(next);
        assertEquals(ticks, home.pastTicks(), "the paused guest went on");
    }

    @Test
    void whatStoodStillStandsStillAtTheTarget() throws IOException {
        try (QemuControl control = home.qemu().control()) {
            control.stop();
        }
        DemoQemu next = rig.waiting(home.machine());
        Agent target = rig.receive(next, "");
        E2e.assertMoved(rig.migrate(home.qemu(), target, ""), target);
        rig.awaitNothingLeft();
        assertEquals("gone", Rig.condition(home.qemu()));
        assertEquals("paused", Rig.condition(next));
        assertEquals(0, ConsoleLog.read(next.console()).lastTick());
        try (QemuControl control = next.control()) {
            // Nobody lets it run, and its settings are put back nevertheless.
            assertFalse(control.capabilities().get(QemuControl.IGNORE_SHARED));
            assertTrue(control.cont().running());
        }
        home.livesOnAt(next);
    }

    /** By the commands that docs/OPERATIONS.md shows. */
    @Test
    void itComesBackFromAnImage() throws IOException {
        Path image = folder.resolve("image");
        Agent target = rig.start("", List.of("receive", "image:" + image, "--listen",
                "127.0.0.1:0", "--once"));
        E2e.assertMoved(rig.migrate(home.qemu(), target, ""), target);
        assertEquals(0, rig.command(List.of("image", "verify", image.toString())).exit());
        DemoQemu next = rig.over(inFile(), image);
        try (QemuControl control = next.control()) {
            for (String line : monitorLines(image)) {
                if (line.equals("cont")) {
                    Poll.until(() -> control.status().state() == RunState.PAUSED,
                            () -> "the state was not loaded");
                }
                assertEquals("", said(control, line), line);
            }
        }
        home.livesOnAt(next);
    }

    /** As docs/OPERATIONS.md shows it: QEMU starts from image and state, and runs. */
    @Test
    void itComesBackByTheCommandOfItsReceiver() throws IOException {
        Path image = folder.resolve("activated");
        Path base = folder.resolve("vm-activated");
        Agent target = rig.start("", List.of("receive", "image:" + image, "--listen",
                "127.0.0.1:0", "--once", "--activate", restoring(home.qemu(), base)));
        E2e.assertMoved(rig.migrate(home.qemu(), target, "", "--after", "keep"), target);
        home.livesOnAt(rig.adopt(inFile(), base, image));
    }

    /**
     * The arguments of the source's QEMU, with files of its own, and the image as its RAM; without
     * those that had it wait, where its guest had come from another one.
     */
    private static String restoring(DemoQemu qemu, Path base) throws IOException {
        StringBuilder line = new StringBuilder();
        for (String word : Files.readString(Path.of("/proc/" + qemu.process().pid()
                + "/cmdline"), StandardCharsets.ISO_8859_1)
                .replace("\0-S\0-incoming\0defer", "").split("\0")) {
            line.append('"').append(word
                    .replaceAll("[^=:]*\\.(qmp|pid|log|console)\\b", base + ".$1"))
                    .append("\" ");
        }
        line.append("-object memory-backend-file,id=ram,share=on,mem-path=\"$PAGEFERRY_IMAGE\",")
                .append("size=" + qemu.machine().memoryBytes() + " -machine memory-backend=ram ");
        List<String> document = Files.readAllLines(Path.of("../docs/OPERATIONS.md")).stream()
                .map(String::strip).toList();
        int first = document.indexOf("monitor=$(mktemp -d)/monitor"
                + " && mkfifo $monitor.in $monitor.out");
        List<String> script = new ArrayList<>(document.subList(first, first + 6));
        // A QEMU in the background complains in its log.
        script.set(1, line + "\\");
        script.set(2, script.get(2).replace("&&", "|| { cat '" + base + ".log'; exit 1; }"));
        return String.join("\n", script);
    }

    /** The same machine, whose RAM is a file: its image. */
    private DemoMachine inFile() {
        DemoMachine machine = home.machine();
        return new DemoMachine(machine.tools(), machine.load(), machine.memoryBytes(),
                machine.vcpus(), DemoMachine.Memory.FILE, machine.more());
    }

    private static List<String> monitorLines(Path image) throws IOException {
        List<String> lines = Files.readAllLines(Path.of("../docs/OPERATIONS.md")).stream()
                .map(String::strip).filter(line -> line.startsWith("(qemu) "))
                .map(line -> line.substring("(qemu) ".length())
                        .replace("/path/file", image.toString())).toList();
        assertEquals(3, lines.size(), lines::toString);
        return lines;
    }

    private static String said(QemuControl control, String line) throws IOException {
        String words = control.qmp().execute("human-monitor-command",
                new ObjectMapper().createObjectNode().put("command-line", line)).asText();
        return line.startsWith("info") ? "" : words.strip();
    }

    @Test
    void memfdAndTwoProcessors() throws IOException {
        moveOne(DemoMachine.Memory.MEMFD);
    }

    /** What QEMU did not write of it is the file's; the file itself stays as it was. */
    @Test
    void aPrivateCopyOfAFile() throws IOException {
        moveOne(DemoMachine.Memory.PRIVATE_FILE);
    }

    private void moveOne(DemoMachine.Memory memory) throws IOException {
        DemoMachine small = home.machine();
        DemoMachine machine = new DemoMachine(small.tools(), GuestLoad.LIGHT,
                small.memoryBytes(), 2, memory, List.of());
        MovingGuest other = MovingGuest.boot(rig, machine);
        move(other);
        rig.end(other.qemu());
    }

    @Test
    void byComparingContents() throws IOException {
        DemoQemu next = rig.waiting(home.machine());
        Agent target = rig.receive(next, "");
        Agent source = rig.migrate(home.qemu(), target, "", "--tracker", "scan",
                "--after", "keep");
        E2e.assertMoved(source, target);
        ObjectNode report = source.report();
        assertEquals("scan", report.path("tracker").asText());
        assertTrue(report.at("/downtime/scanMs").asDouble() > 0, report::toString);
        rig.awaitNothingLeft();
        assertTrue(Traces.of(home.qemu().process().pid()).isUntracked());
        home.livesOnAt(next);
    }

    @Test
    void byComparingAllOfItPausedFromTheBeginning() throws IOException {
        DemoQemu next = rig.waiting(home.machine());
        Agent target = rig.receive(next, "");
        Agent source = rig.migrate(home.qemu(), target, "", "--cold", "--verify", "full");
        E2e.assertMoved(source, target);
        ObjectNode report = source.report();
        assertEquals("cold", report.path("stopReason").asText());
        assertEquals("full", report.at("/verification/method").asText());
        assertTrue(report.at("/downtime/verifyMs").asDouble() > 0, report::toString);
        rig.awaitNothingLeft();
        home.livesOnAt(next);
    }

    @Test
    void singleMovesAtThreeWriteRates() throws IOException {
        List<GuestLoad> loads = Draw.sample(RATES, 1);
        for (int i = 0; i < loads.size(); i++) {
            MovingGuest other = MovingGuest.boot(rig, E2e.machine(loads.get(i)));
            List<Double> downtimes = new ArrayList<>();
            for (int done = i; done < MOVES; done += loads.size()) {
                downtimes.add(move(other).path("downtimeMs").asDouble());
            }
            downtimes.sort(null);
            System.out.println(loads.get(i) + ": downtimes in ms " + downtimes);
            rig.end(other.qemu());
        }
    }

    /** One move into a new QEMU; the old one is gone afterwards. Returns the source's report. */
    private ObjectNode move(MovingGuest guest) throws IOException {
        DemoQemu next = rig.waiting(guest.machine());
        Agent target = rig.receive(next, "");
        Agent source = rig.migrate(guest.qemu(), target, "");
        E2e.assertMoved(source, target);
        rig.awaitNothingLeft();
        assertEquals("gone", Rig.condition(guest.qemu()));
        assertTrue(Traces.of(next.process().pid()).isUntracked());
        guest.livesOnAt(next);
        return source.report();
    }
}
