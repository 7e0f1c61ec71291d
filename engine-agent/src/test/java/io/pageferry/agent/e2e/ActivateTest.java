package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@code receive image:… --activate CMD}: what the command finds, and what becomes of it. */
@Tag("timing")
class ActivateTest extends WithRig {
    private static final String GUEST = "workload:8MiB?set=4MiB&rate=5MiB/s";
    private static final long BYTES = 8L << 20;

    @Test
    void theCommandFindsTheGuestsMemoryWhenTheSourceHasItsWord() throws IOException {
        Path image = folder.resolve("it's an image");
        Agent target = receive(image, """
                cd '%s'
                env | grep ^PAGEFERRY_ > env
                tail -c +$((PAGEFERRY_REGION_0_OFFSET + 1)) "$PAGEFERRY_IMAGE" |
                    head -c $PAGEFERRY_REGION_0_SIZE > copy
                echo words of the command
                until [ -e go ]; do sleep 0.02; done""".formatted(folder));
        Agent source = migrate(GUEST, target.address());
        assertEquals(0, source.exit(), source::toString);
        Files.createFile(folder.resolve("go"));
        // Nothing but events came on stdout, else there is no report.
        E2e.assertMoved(source, target);
        assertTrue(target.words().contains("words of the command"), target.words());
        assertEquals(-1, Files.mismatch(image, folder.resolve("copy")));
        assertEquals(0, rig.command(List.of("image", "verify", image.toString())).exit());
        Map<String, String> variables = variables();
        assertEquals(image + ".state", variables.get("PAGEFERRY_STATE"));
        assertEquals(image + ".table", variables.get("PAGEFERRY_TABLE"));
        assertEquals("1", variables.get("PAGEFERRY_REGIONS"));
        assertEquals("0x0", variables.get("PAGEFERRY_REGION_0_GUEST_BASE"));
        assertEquals(Long.toString(BYTES), variables.get("PAGEFERRY_REGION_0_SIZE"));
        assertEquals(Long.toString(BYTES), variables.get("PAGEFERRY_MEMORY_BYTES"));
        assertEquals("workload", variables.get("PAGEFERRY_GUEST_KIND"));
        assertEquals("1", variables.get("PAGEFERRY_GUEST_RAN"));
        assertEquals(source.report().at("/verification/sourceDigest").asText(),
                variables.get("PAGEFERRY_DIGEST"));
        rig.awaitNothingLeft();
    }

    private Map<String, String> variables() throws IOException {
        Map<String, String> found = new TreeMap<>();
        for (String line : Files.readAllLines(folder.resolve("env"))) {
            found.put(line.substring(0, line.indexOf('=')),
                    line.substring(line.indexOf('=') + 1));
        }
        return found;
    }

    /** Without --once too: what was activated is somebody's memory. */
    @Test
    void noSecondGuestIsReceivedIntoIt() throws IOException {
        Path image = folder.resolve("image");
        Agent target = rig.start("", List.of("receive", "image:" + image, "--listen",
                "127.0.0.1:0", "--activate", "true"));
        assertEquals(0, migrate(GUEST, target.address()).exit());
        target.await("report", event -> event.path("result").asText().equals("completed"));
        Agent second = migrate(GUEST, target.address());
        assertEquals(3, second.exit(), second::toString);
        assertEquals("busy", second.report().at("/error/code").asText());
        assertEquals(0, rig.command(List.of("image", "verify", image.toString())).exit());
    }

    @Test
    void aCommandThatFailsIsAFailureOfTheSideThatOwnsTheGuest() throws IOException {
        Path image = folder.resolve("image");
        Agent target = receive(image, "exit 7");
        Agent source = migrate(GUEST, target.address());
        assertEquals(0, source.exit(), source::toString);
        assertFailed(target, "guest-failed", "ended with 7");
        assertEquals(0, rig.command(List.of("image", "verify", image.toString())).exit());
    }

    /** It is asked first, and then ended; so is what it waits for. */
    @Test
    void whoStopsTheReceiverStopsTheCommand() throws IOException {
        Path pids = folder.resolve("pids");
        Path asked = folder.resolve("asked");
        Agent target = receive(folder.resolve("image"), """
                trap 'touch "%1$s"' TERM
                sleep 600 &
                echo $$ $! > '%2$s.new'
                mv '%2$s.new' '%2$s'
                while :; do wait; sleep 0.02; done""".formatted(asked, pids));
        Agent source = migrate(GUEST, target.address());
        Poll.until(() -> Files.exists(pids), () -> "the command did not start: " + target);
        assertEquals(0, source.exit(), source::toString);
        target.signal(Signal.INT);
        assertFailed(target, "cancelled", "was stopped");
        assertTrue(Files.exists(asked));
        for (String pid : Files.readString(pids).strip().split(" ")) {
            Poll.until(() -> !ProcessHandle.of(Long.parseLong(pid))
                    .map(ProcessHandle::isAlive).orElse(false), () -> pid + " runs on");
        }
    }

    /** The shell ends at once, and who it waited for goes on over the image: not for long. */
    @Test
    void aStoppedCommandHasEndedWithAllOfItsOwnBeforeThatIsSaid() throws IOException {
        Path pid = folder.resolve("pid");
        Agent target = receive(folder.resolve("image"), """
                sh -c "trap : TERM; echo \\$\\$ > '%1$s.new'; mv '%1$s.new' '%1$s'
                    while :; do sleep 0.02; done"
                true""".formatted(pid));
        Agent source = migrate(GUEST, target.address());
        Poll.until(() -> Files.exists(pid), () -> "the command did not start: " + target);
        assertEquals(0, source.exit(), source::toString);
        ProcessHandle slow = ProcessHandle.of(
                Long.parseLong(Files.readString(pid).strip())).orElseThrow();
        target.signal(Signal.INT);
        target.await("report", event -> event.path("event").asText().equals("report"));
        // Killed a moment before the agent said so, or a zombie for a moment yet.
        assertFalse(isAtWork(slow), slow::toString);
        assertFailed(target, "cancelled", "was stopped");
    }

    /** The shell ends at once here too; whom it had started may finish what it is doing. */
    @Test
    void whatAStoppedCommandStartedHasTimeToFinish() throws IOException {
        Path begun = folder.resolve("begun");
        Path finished = folder.resolve("finished");
        Agent target = receive(folder.resolve("image"), """
                sh -c "trap 'sleep 0.5; touch %2$s; exit' TERM; touch %1$s
                    while :; do sleep 0.02; done"
                true""".formatted(begun, finished));
        Agent source = migrate(GUEST, target.address());
        Poll.until(() -> Files.exists(begun), () -> "the command did not start: " + target);
        assertEquals(0, source.exit(), source::toString);
        target.signal(Signal.INT);
        assertFailed(target, "cancelled", "was stopped");
        assertTrue(Files.exists(finished), target::toString);
    }

    private static boolean isAtWork(ProcessHandle process) throws IOException {
        Path stat = Path.of("/proc/" + process.pid() + "/stat");
        return process.isAlive() && Files.exists(stat)
                && !Files.readString(stat).replaceFirst(".*\\) ", "").startsWith("Z");
    }

    private static void assertFailed(Agent target, String code, String reason)
            throws IOException {
        E2e.assertEnds(5, "failed", target);
        assertEquals(code, target.report().at("/error/code").asText());
        assertTrue(target.report().at("/error/reason").asText().contains(reason),
                target::toString);
        assertFalse(target.report().at("/error/remedy").asText().isEmpty());
        assertEquals("target", target.report().at("/owner/side").asText());
    }

    private Agent receive(Path image, String command) throws IOException {
        return receive("image:" + image, "--activate", command);
    }
}
