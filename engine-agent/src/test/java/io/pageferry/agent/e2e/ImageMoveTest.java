package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A working guest becomes an image, by the two commands. */
@Tag("timing")
class ImageMoveTest extends WithRig {
    private static final long MEMORY = 48L << 20;
    private static final int PAGE = 4096;

    /** The file may be there already, longer than the guest and without a byte that is right. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theImageHoldsEveryByteThatTheGuestHeldWhenItWasPaused(boolean stale) throws IOException {
        Path image = folder.resolve("image");
        if (stale) {
            byte[] wrong = new byte[(int) MEMORY + PAGE];
            Arrays.fill(wrong, (byte) 0xA5);
            Files.write(image, wrong);
        }
        Agent target = receive("image:" + image);
        // The guest's memory must be seen before it has gone.
        target.signal(Signal.STOP);
        Agent source = migrate("workload:48MiB?set=16MiB&rate=30MiB/s", target.address());
        try (GuestWindow guest = GuestWindow.of(source, MEMORY)) {
            target.signal(Signal.CONT);
            E2e.assertMoved(source, target);
            assertEquals(-1, guest.mismatch(image), () -> "the first byte that differs, of "
                    + source);
            assertTrue(guest.tick() > 0);
            assertEquals(guest.tick(),
                    source.report().at("/guestCheck/ticksSource").asLong(), source::toString);
        }
        assertTrue(lastPages(source) > 10, () -> "it did not write meanwhile: " + source);
        assertDescribed(image, source);
        assertVerified(image, source);
        rig.awaitNothingLeft();
    }

    @Test
    void anImageOfWhichNothingWasVerifiedSaysSo() throws IOException {
        Path image = folder.resolve("image");
        Agent target = receive("image:" + image);
        Agent source = migrate("workload:8MiB?rate=0", target.address(), "--verify", "none");
        assertEquals(0, source.exit(), source::toString);
        assertEquals(0, target.exit(), target::toString);
        Agent verify = ask("verify", image);
        assertEquals(3, verify.exit(), verify::toString);
        assertTrue(verify.words().contains("--verify none"), verify.words());
        assertEquals(0, ask("info", image).exit());
    }

    /** Without --once too: it is somebody's memory now, whether or not anything took it over. */
    @Test
    void noSecondGuestIsReceivedOverACompleteImage() throws IOException {
        Path image = folder.resolve("image");
        Agent target = rig.start("", List.of("receive", "image:" + image, "--listen",
                "127.0.0.1:0"));
        assertEquals(0, migrate("workload:8MiB?rate=0", target.address()).exit());
        target.await("report", event -> event.path("result").asText().equals("completed"));
        Agent second = migrate("workload:8MiB?rate=0", target.address());
        assertEquals(3, second.exit(), second::toString);
        assertEquals("busy", second.report().at("/error/code").asText());
        assertEquals(0, ask("verify", image).exit());
        target.signal(Signal.TERM);
        assertEquals(7, target.exit(), target::toString);
        assertEquals(0, ask("verify", image).exit());
    }

    private Agent ask(String what, Path image) throws IOException {
        return rig.command(List.of("image", what, image.toString()));
    }

    /** An image is what was stored until a byte of it changes; then the place is named. */
    private void assertVerified(Path image, Agent source) throws IOException {
        Agent info = ask("info", image);
        assertEquals(0, info.exit(), info::toString);
        assertEquals(source.report().at("/verification/sourceDigest").asText(),
                info.events().getFirst().path("digest").asText());
        Agent verify = ask("verify", image);
        assertEquals(0, verify.exit(), verify::toString);
        assertTrue(verify.events().getFirst().path("match").asBoolean(), verify::toString);
        try (FileChannel file = FileChannel.open(image, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(new byte[] {0x5A, 0x17}), MEMORY - PAGE + 3);
        }
        Agent damaged = ask("verify", image);
        assertEquals(4, damaged.exit(), damaged::toString);
        assertTrue(damaged.words().contains("at 0x" + Long.toHexString(MEMORY - 3 * PAGE)),
                damaged.words());
        try (FileChannel file = FileChannel.open(image, StandardOpenOption.WRITE)) {
            file.truncate(MEMORY - PAGE);
        }
        assertEquals(3, ask("verify", image).exit());
    }

    /** Pages that were written while others were sent: more than those of the tick. */
    private static long lastPages(Agent source) throws IOException {
        JsonNode rounds = source.report().path("rounds");
        return rounds.get(rounds.size() - 1).path("sentPages").asLong();
    }

    /** What stands beside the image. */
    private static void assertDescribed(Path image, Agent source) throws IOException {
        JsonNode table = new ObjectMapper().readTree(
                Files.readString(image.resolveSibling("image.table")));
        assertEquals(1, table.path("regions").size());
        assertEquals(0, table.at("/regions/0/fileOffset").asLong(-1));
        assertEquals(MEMORY, table.at("/regions/0/size").asLong());
        long state = Files.size(image.resolveSibling("image.state"));
        assertEquals(state, table.path("stateBytes").asLong());
        assertEquals(source.report().path("deviceStateBytes").asLong(), state);
        assertTrue(state > 0);
    }
}
