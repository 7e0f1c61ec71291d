package io.pageferry.agent.daemon.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HistoryTest {
    private static final long DAY = Duration.ofDays(1).toMillis();

    @TempDir
    private Path folder;

    private final AtomicLong now = new AtomicLong(20_000 * DAY);

    private History open(String limits) throws IOException {
        return History.open(folder, HistoryLimits.parse(limits), now::get);
    }

    private static ObjectNode resource(String words) {
        return Output.object().put("words", words);
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("history"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void whatIsWrittenIsThereLater() throws IOException {
        UUID id = UUID.randomUUID();
        History first = open("30d/1MiB");
        first.write(id, "source", now.get(), resource("in doubt"));
        first.write(id, "target", now.get(), resource("other side"));
        first.write(id, "source", now.addAndGet(5), resource("settled"));
        History later = open("30d/1MiB");
        assertEquals("settled", later.find(id, "source").orElseThrow().path("words").asText());
        assertEquals("other side", later.find(id, "target").orElseThrow().path("words")
                .asText());
        assertTrue(later.find(UUID.randomUUID(), "source").isEmpty());
        assertEquals(List.of("settled", "other side"), later.latest(9).stream()
                .map(one -> one.path("words").asText()).toList());
        assertEquals(1, later.latest(1).size());
        assertEquals(2, files().size(), () -> "one file for each side");
    }

    @Test
    void daysAndBytesBoundIt() throws IOException {
        History history = open("2d/200B");
        UUID old = UUID.randomUUID();
        history.write(old, "source", now.get(), resource("old"));
        now.addAndGet(3 * DAY);
        history.write(UUID.randomUUID(), "source", now.get(), resource("new"));
        assertTrue(history.find(old, "source").isEmpty());
        for (int i = 0; i < 20; i++) {
            history.write(UUID.randomUUID(), "source", now.incrementAndGet(),
                    resource("number " + i));
        }
        long bytes = 0;
        for (String file : files()) {
            bytes += Files.size(folder.resolve("history").resolve(file));
        }
        assertTrue(bytes <= 200 && bytes > 100, "" + bytes);
        assertEquals("number 19", history.latest(1).getFirst().path("words").asText());
    }

    @Test
    void whatIsBrokenHarmsNothing() throws IOException {
        History history = open("30d/1MiB");
        UUID id = UUID.randomUUID();
        history.write(id, "source", now.get(), resource("whole"));
        Path file = folder.resolve("history").resolve(files().getFirst());
        Files.writeString(file, "{\"words\":");
        Files.writeString(file.resolveSibling("x.json.new"), "{");
        History later = open("30d/1MiB");
        assertTrue(later.find(id, "source").isEmpty());
        assertEquals(List.of(), later.latest(9));
        assertFalse(files().contains("x.json.new"));
    }

    @Test
    void limitsAreDaysAndASize() {
        assertEquals(new HistoryLimits(Duration.ofDays(30), 256L << 20),
                HistoryLimits.parse(HistoryLimits.DEFAULT));
        assertEquals(new HistoryLimits(Duration.ofHours(1), 0), HistoryLimits.parse("1h/0"));
        for (String wrong : List.of("", "30d", "xd/1MiB", "-1d/1MiB", "30d/1")) {
            assertThrows(IllegalArgumentException.class, () -> HistoryLimits.parse(wrong),
                    wrong);
        }
    }

    @Test
    void whatIsInDoubtIsNotDecided() throws IOException {
        UUID id = UUID.randomUUID();
        History history = open("30d/1MiB");
        assertFalse(history.isDecided(id, Side.SOURCE));
        ObjectNode doubt = Output.object();
        doubt.putObject("limits").put("result", "completed");
        doubt.put("result", "in-doubt").putObject("report").put("result", "in-doubt");
        history.write(id, "source", now.get(), doubt);
        assertFalse(history.isDecided(id, Side.SOURCE));
        history.write(id, "source", now.get(), doubt.put("result", "failed"));
        assertTrue(history.isDecided(id, Side.SOURCE));
        assertFalse(history.isDecided(id, Side.TARGET));
        history.write(id, "source", now.get(), resource("no result"));
        assertFalse(history.isDecided(id, Side.SOURCE));
    }
}
