package io.pageferry.core.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.handover.Ownership.Act;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The tables of docs/PROTOCOL.md, section 2, and {@link Ownership} say the same. */
class OwnershipTest {
    private static final Path PROTOCOL = Path.of("..", "docs", "PROTOCOL.md");
    private static final long EPOCH = 3;
    private static final UUID MIGRATION = new UUID(1, 2);

    /** What the rows of a dying agent do, and which act that is. */
    private static final List<Death> DEATHS = List.of(
            new Death("before GRANTED", "its guard undoes throttle, freeze and pause",
                    Act.LEAVE, Act.OWN),
            new Death("GRANTED", "its guard leaves the guest paused; settling asks again",
                    Act.ASK),
            new Death("OWNED, DONE", "its guard repeats the act", Act.RESUME, Act.END),
            new Death("RECEIVING", "its guard discards the image", Act.DISCARD),
            new Death("REFUSED", "its guard ends the loaded guest", Act.END_REFUSED),
            new Death("ACTIVE", "paused: resume; runs: J(RUNNING e); gone: exit 5",
                    Act.ACTIVATE));

    private record Death(String state, String follows, Act... acts) { }

    /** The cells of each row of the tables of section 2 that has so many. */
    private static List<List<String>> rows(int columns) throws IOException {
        String section = Files.readString(PROTOCOL).split("\n## ")[2];
        assertTrue(section.startsWith("2 Who owns the guest"), section);
        List<List<String>> rows = new ArrayList<>();
        for (String line : section.split("\n")) {
            if (line.startsWith("|") && !line.startsWith("|-")) {
                List<String> cells = Arrays.stream(line.substring(1).split("\\|"))
                        .map(String::strip).toList();
                if (cells.size() == columns) {
                    rows.add(cells);
                }
            }
        }
        return rows;
    }

    private static Ownership ownership(Side side, String records) {
        boolean settled = records.endsWith(", SETTLED");
        String state = records.replace(", SETTLED", "");
        return Ownership.of(side, state.equals("none") ? Optional.empty()
                : Optional.of(record(JournalState.valueOf(state))), settled);
    }

    private static JournalRecord record(JournalState state) {
        return new JournalRecord(state, EPOCH, true, "why");
    }

    @Test
    void theTableOfJournalsIsTheFunction() throws IOException {
        Set<String> seen = new HashSet<>();
        for (List<String> row : rows(6)) {
            if (row.getFirst().equals("side")) {
                continue;
            }
            Side side = Side.valueOf(row.getFirst().toUpperCase(Locale.ROOT));
            Ownership says = ownership(side, row.get(1));
            String where = row.toString();
            assertEquals(row.get(2), says.owner().label(), where);
            assertEquals(Act.valueOf(row.get(3)), says.next(), where);
            assertEquals(says.next() == Act.NONE, says.settled(), where);
            assertEquals(says.settled(), row.get(5).isEmpty(), where);
            if (side == Side.TARGET) {
                assertEquals(row.get(4), word(says.answer(new Message.Status(MIGRATION, EPOCH))),
                        where);
                assertEquals("STATUS_UNKNOWN", word(says.answer(
                        new Message.Status(MIGRATION, EPOCH + 1))), where);
            }
            seen.add(side + " " + row.get(1));
        }
        for (Side side : Side.values()) {
            assertTrue(seen.contains(side + " none"), seen::toString);
            for (JournalState state : JournalState.values()) {
                assertEquals(Ownership.fits(side, state) && state != JournalState.SETTLED,
                        seen.contains(side + " " + state), side + " " + state);
            }
        }
    }

    /** {@code STATUS_UNKNOWN} and so on. */
    private static String word(Message answer) {
        return answer.getClass().getSimpleName().replaceAll("(?<=[a-z])(?=[A-Z])", "_")
                .toUpperCase(Locale.ROOT);
    }

    /** Every record that the tables of states write or name is one of that side's. */
    @Test
    void theTablesOfStatesNameTheDeathsAndTheActs() throws IOException {
        Set<Act> acts = EnumSet.noneOf(Act.class);
        List<String> deaths = new ArrayList<>();
        String state = "";
        for (List<String> row : rows(5)) {
            state = row.getFirst().isEmpty() ? state : row.getFirst();
            if (row.get(2).startsWith("the agent ")) {
                String at = state;
                Death death = DEATHS.stream().filter(one -> one.state().equals(at)).findFirst()
                        .orElseThrow(() -> new AssertionError("no act for " + row));
                assertEquals(death.follows(), row.get(4), at);
                acts.addAll(List.of(death.acts()));
                deaths.add(at);
            }
        }
        assertEquals(DEATHS.stream().map(Death::state).toList(), deaths);
        // A restart before the grant is in the row of READY, and writes its record first.
        List<String> restart = rows(5).stream().filter(row -> row.get(2).contains("restart,"))
                .findFirst().orElseThrow();
        assertEquals("J(REFUSED e)", restart.get(3));
        acts.add(ownership(Side.TARGET, "PREPARED").next());
        acts.add(Act.NONE);
        assertEquals(EnumSet.allOf(Act.class), acts);
    }

    @Test
    void noSideWritesTheOthersRecords() {
        assertThrows(IllegalArgumentException.class,
                () -> ownership(Side.SOURCE, "ACTIVE"));
        assertThrows(IllegalArgumentException.class,
                () -> ownership(Side.TARGET, "GRANTED"));
    }
}
