package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.linux.Processes.Signal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A working guest becomes an image, by the two commands. */
@Timeout(120)
class ImageRoadTest extends WithRig {
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
        rig.awaitNothingLeft();
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
