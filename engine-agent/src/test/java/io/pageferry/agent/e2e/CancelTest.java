package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.Agent.Start;
import io.pageferry.agent.linux.Processes.Signal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Ctrl-C and SIGTERM at either side of an embedded guest's move. Pre-copy lasts as long as the
 * other side stands still. For QEMU guests see {@link QemuTroubleTest}.
 */
@Timeout(120)
class CancelTest {
    private static final long MEMORY = 64L << 20;
    private static final String GUEST = "workload:64MiB?rate=20MiB/s";
    private static final Duration CLEAN = Duration.ofSeconds(2);

    /** A shell that starts something in the background has it ignore SIGINT. */
    private static final List<String> LISTENING = List.of("env", "--default-signal=INT");

    @TempDir
    Path folder;

    private Rig rig;
    private Path image;

    @BeforeEach
    void make() throws IOException {
        rig = new Rig(folder);
        image = folder.resolve("image");
    }

    @AfterEach
    void end() throws IOException {
        rig.close();
    }

    @ParameterizedTest
    @EnumSource(names = {"TERM", "INT"})
    void aCancelledMoveLeavesTheGuestRunningAndTheTargetClean(Signal signal) throws IOException {
        Agent target = receive();
        Agent source = migrate(target);
        target.awaitState("receiving");
        target.signal(Signal.STOP);
        try (GuestWindow guest = GuestWindow.of(source, MEMORY)) {
            source.signal(signal);
            source.awaitState("ended");
            // Within --linger: an embedded guest ends with its command.
            guest.ticksOn();
            E2e.assertEnds(7, "cancelled", source);
        }
        assertEquals("source", source.report().at("/owner/side").asText(), source::toString);
        assertEquals(0, source.report().at("/guestCheck/failures").asLong(-1), source::toString);
        target.signal(Signal.CONT);
        Poll.until(CLEAN, () -> !Files.exists(image), () -> "the image is still there");
        E2e.assertEnds(4, "failed", target);
        rig.awaitNothingLeft();
    }

    @ParameterizedTest
    @EnumSource(names = {"TERM", "INT"})
    void aCancelledTargetLeavesTheGuestRunning(Signal signal) throws IOException {
        Agent target = receive();
        Agent source = migrate(target);
        target.awaitState("receiving");
        try (GuestWindow guest = GuestWindow.of(source, MEMORY)) {
            source.signal(Signal.STOP);
            target.signal(signal);
            Poll.until(CLEAN, () -> !Files.exists(image), () -> "the image is still there");
            source.signal(Signal.CONT);
            source.awaitState("ended");
            guest.ticksOn();
            E2e.assertEnds(4, "failed", source);
        }
        E2e.assertEnds(4, "failed", target);
        assertTrue(source.report().at("/error/reason").asText().contains("cancel"),
                source::toString);
        assertEquals(0, source.report().at("/guestCheck/failures").asLong(-1), source::toString);
        rig.awaitNothingLeft();
    }

    @ParameterizedTest
    @EnumSource(names = {"TERM", "INT"})
    void aTargetToWhichNobodyCameSaysSo(Signal signal) throws IOException {
        Agent target = receive();
        target.signal(signal);
        E2e.assertEnds(7, "cancelled", target);
        assertFalse(Files.exists(image));
        rig.awaitNothingLeft();
    }

    private Agent receive() throws IOException {
        Agent target = rig.start(new Start(LISTENING, List.of(), List.of("receive",
                "image:" + image, "--listen", "127.0.0.1:0", "--once")));
        target.address();
        return target;
    }

    private Agent migrate(Agent target) throws IOException {
        return rig.start(new Start(LISTENING, List.of(), List.of("migrate", GUEST, "--to",
                target.address(), "--linger", "1s")));
    }
}
