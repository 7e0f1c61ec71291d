package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.Agent.Start;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Ctrl-C and SIGTERM at either side of an embedded guest's move. Pre-copy lasts as long as the
 * other side stands still. For QEMU guests see {@link QemuTroubleTest}.
 */
@Timeout(120)
class CancelTest extends WithRig {
    private static final long MEMORY = 64L << 20;
    private static final String GUEST = "workload:64MiB?rate=20MiB/s";
    private static final Duration CLEAN = Duration.ofSeconds(2);

    /** A shell that starts something in the background has it ignore SIGINT. */
    private static final List<String> LISTENING = List.of("env", "--default-signal=INT");

    private Path image;

    @BeforeEach
    void make() {
        image = folder.resolve("image");
    }

    @ParameterizedTest
    @EnumSource(names = {"TERM", "INT"})
    void aCancelledMoveLeavesTheGuestRunningAndTheTargetClean(Signal signal) throws IOException {
        Agent target = listen();
        Agent source = move(target.address());
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
        Agent target = listen();
        Agent source = move(target.address());
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

    /** Pulled out when it is cancelled, so that no attempt is under way that could tell of it. */
    @Test
    void aCancelWhileTheLinkIsLostIsHeardOnceItIsBack() throws IOException {
        Agent target = listen("--reconnect-window", "60s");
        try (Cable cable = new Cable(target.address())) {
            Agent source = move(cable.address(), "--reconnect-window", "60s",
                    "--bandwidth", "40Mbit/s");
            target.awaitState("receiving");
            cable.pull();
            source.await("the loss", event ->
                    event.path("message").asText().startsWith("the link is lost"));
            source.signal(Signal.TERM);
            cable.plug();
            Poll.until(CLEAN, () -> !Files.exists(image), () -> "the image is still there");
            E2e.assertEnds(7, "cancelled", source);
            E2e.assertEnds(4, "failed", target);
            assertEquals("cancelled", target.report().at("/error/code").asText(),
                    target::toString);
            assertEquals(0, source.report().at("/guestCheck/failures").asLong(-1),
                    source::toString);
        }
        rig.awaitNothingLeft();
    }

    /** As by a firewall that forgot the connections: nothing arrives, and nobody is told. */
    @Test
    void aCancelOverASilentLinkIsHeardOverAnother() throws IOException {
        Agent target = listen("--reconnect-window", "60s");
        try (Silenced cable = new Silenced(target.address())) {
            Agent source = move(cable.address(), "--reconnect-window", "60s",
                    "--bandwidth", "40Mbit/s");
            target.awaitState("receiving");
            cable.silence();
            source.signal(Signal.TERM);
            Poll.until(CLEAN, () -> !Files.exists(image), () -> "the image is still there");
            E2e.assertEnds(7, "cancelled", source);
            E2e.assertEnds(4, "failed", target);
            assertEquals("cancelled", target.report().at("/error/code").asText(),
                    target::toString);
            assertFalse(source.words().contains("the link is lost"), source::toString);
            assertEquals(0, source.report().at("/guestCheck/failures").asLong(-1),
                    source::toString);
        }
        rig.awaitNothingLeft();
    }

    /** A cable whose connections fall silent, all of one moment; later ones are carried. */
    private static final class Silenced extends Cable {
        private final AtomicInteger era = new AtomicInteger();

        Silenced(String address) throws IOException {
            super(address);
        }

        void silence() {
            era.incrementAndGet();
        }

        @Override
        void carry(InputStream from, OutputStream to, boolean fromSource) throws IOException {
            int born = era.get();
            byte[] some = new byte[1 << 16];
            for (int read = from.read(some); read >= 0; read = from.read(some)) {
                if (born == era.get()) {
                    to.write(some, 0, read);
                }
            }
            if (born != era.get()) {
                throw new IOException("its end is not told either");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"TERM", "INT"})
    void aTargetToWhichNobodyCameSaysSo(Signal signal) throws IOException {
        Agent target = listen();
        target.signal(signal);
        E2e.assertEnds(7, "cancelled", target);
        assertFalse(Files.exists(image));
        rig.awaitNothingLeft();
    }

    private Agent listen(String... more) throws IOException {
        Agent target = rig.start(new Start(LISTENING, List.of(), with(List.of("receive",
                "image:" + image, "--listen", "127.0.0.1:0", "--once"), more)));
        target.address();
        return target;
    }

    private Agent move(String address, String... more) throws IOException {
        return rig.start(new Start(LISTENING, List.of(), with(List.of("migrate", GUEST,
                "--to", address, "--linger", "1s"), more)));
    }
}
