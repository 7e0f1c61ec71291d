package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.Agent.Start;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Ctrl-C and SIGTERM at either side of an embedded guest's move. Pre-copy lasts as long as the
 * other side stands still. For QEMU guests see {@link QemuTroubleTest}.
 */
@Tag("timing")
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
            source.awaitHold("ended");
            guest.ticksOn();
            source.goOn();
            E2e.assertEnds(7, "cancelled", source);
        }
        assertEquals("source", source.report().at("/owner/side").asText(), source::toString);
        assertEquals(0, source.report().at("/guestCheck/failures").asLong(-1), source::toString);
        target.signal(Signal.CONT);
        awaitNoImage(target);
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
            awaitNoImage(target);
            source.signal(Signal.CONT);
            source.awaitHold("ended");
            guest.ticksOn();
            source.goOn();
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
        try (CutAtFrame cable = new CutAtFrame(target.address(), CutAtFrame.BATCH, 3)) {
            Agent source = start(cable.address(), "", "--reconnect-window", "60s");
            cable.awaitCut(source);
            source.await("the loss", event ->
                    event.path("message").asText().startsWith("the link is lost"));
            source.signal(Signal.TERM);
            cable.plug();
            awaitNoImage(source, target);
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
            Agent source = start(cable.address(), "", "--reconnect-window", "60s");
            Poll.until(cable::isSilent, () -> "too few pages of " + source);
            source.signal(Signal.TERM);
            awaitNoImage(source, target);
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
    private static final class Silenced extends FrameCable {
        // Guarded by this.
        private final Set<OutputStream> ends = new HashSet<>();
        private int left = 3;

        Silenced(String address) throws IOException {
            super(address);
        }

        synchronized boolean isSilent() {
            return left <= 0;
        }

        @Override
        void frame(int type, byte[] frame, OutputStream to) throws IOException {
            if (!isMuted(type, to)) {
                to.write(frame);
            }
        }

        private synchronized boolean isMuted(int type, OutputStream to) {
            if (left > 0) {
                ends.add(to);
                left -= type == CutAtFrame.BATCH ? 1 : 0;
            }
            return left <= 0 && ends.contains(to);
        }

        @Override
        synchronized void end(OutputStream to) throws IOException {
            if (left <= 0 && ends.contains(to)) {
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
        return start(address, "ended", more);
    }

    /** With an embedded guest, which runs for as long as its command does. */
    private Agent start(String address, String hold, String... more) throws IOException {
        return rig.start(new Start(LISTENING, List.of(), with(List.of("migrate", GUEST,
                "--to", address, "--linger", "0s"), more), hold));
    }

    private void awaitNoImage(Agent... agents) throws IOException {
        Poll.soon(CLEAN, () -> !isAnyThere(), "the image is still there", agents);
    }

    /** Under its own name, or under that which it has while it is filled. */
    private boolean isAnyThere() throws IOException {
        try (Stream<Path> beside = Files.list(image.getParent())) {
            return beside.anyMatch(one -> one.getFileName().toString()
                    .startsWith(image.getFileName().toString()));
        }
    }
}
