package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What {@code --json} prints today beside what commit 58cb193 printed for the same commands, which
 * stands in the folder {@code recorded}: the same events in the same order, and in each of them
 * the same names, in the same order, with values of the same kinds; and in the report the same
 * words where neither chance nor the machine has a say.
 */
@Timeout(300)
class RecordedReportTest extends WithRig {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String GUEST = "workload:32MiB?set=16MiB&rate=4MiB/s";

    private static final Duration DEMO = Duration.ofMinutes(4);

    /** Fields that came since; whoever reads a report skips what it does not know. */
    private static final List<String> ADDED = List.of("/verification/audit", "/memoryAccess",
            "/afterResume", "/zstd", "/rounds[]/zstd");

    /** Chosen by chance or by the machine, or prose. */
    private static final Set<String> FREE = Set.of("migrationId", "sourceDigest", "targetDigest",
            "stopReason", "tracker", "reason", "remedy", "memoryAccess");

    @Test
    void ofACompletedMove() throws IOException {
        Agent target = receive("workload:32MiB", "--linger", "1s");
        Agent source = migrate(GUEST, target.address());
        E2e.assertMoved(source, target);
        assertAsRecorded("completed-source", source);
        assertAsRecorded("completed-target", target);
    }

    @Test
    void ofAMoveThatFailed() throws IOException {
        Agent target = receive("workload:32MiB", "--linger", "1s");
        Agent source = migrate(GUEST, target.address(), "--bandwidth", "8Mbit/s", "--timeout",
                "1s", "--on-no-convergence", "abort", "--linger", "1s");
        E2e.assertEnds(4, "failed", source);
        E2e.assertEnds(4, "failed", target);
        assertAsRecorded("failed-source", source);
        assertAsRecorded("failed-target", target);
    }

    @Test
    void ofACancelledMove() throws IOException {
        Agent target = receive("workload:32MiB", "--linger", "1s");
        Agent source = migrate(GUEST, target.address(), "--bandwidth", "8Mbit/s", "--linger",
                "1s");
        target.awaitState("receiving");
        source.awaitState("precopy");
        source.signal(Signal.TERM);
        E2e.assertEnds(7, "cancelled", source);
        E2e.assertEnds(4, "failed", target);
        assertAsRecorded("cancelled-source", source);
        assertAsRecorded("cancelled-target", target);
    }

    @Test
    void ofARefusedMoveAndOfATargetToWhichNobodyCame() throws IOException {
        Agent target = receive("workload:16MiB", "--linger", "1s");
        Agent source = migrate(GUEST, target.address(), "--linger", "1s");
        E2e.assertEnds(3, "refused", source);
        target.await("its refusal", event -> event.path("level").asText().equals("warn"));
        target.signal(Signal.TERM);
        E2e.assertEnds(7, "cancelled", target);
        assertAsRecorded("refused-source", source);
        assertAsRecorded("refused-target", target);
    }

    @Test
    void ofTheDemo() throws IOException {
        Agent demo = rig.start("", List.of("demo", "--memory", "64MiB", "--working-set", "16MiB",
                "--dirty-rate", "4MiB/s"));
        assertCompletes(demo);
        assertAsRecorded("demo", demo);
    }

    @Test
    void ofTheDemoWithQemu() throws IOException {
        E2e.needTracking();
        Agent demo = rig.start("", List.of("demo", "--guest", "qemu", "--kernel",
                TestMachines.tools().kernel().toString(), "--memory", "160MiB", "--working-set",
                "8MiB", "--dirty-rate", "1MiB/s"));
        assertCompletes(demo);
        assertAsRecorded("demo-qemu", demo);
    }

    /** A demo starts two agents, and perhaps a guest that boots. */
    private static void assertCompletes(Agent demo) throws IOException {
        Poll.until(DEMO, () -> demo.events().stream().anyMatch(event ->
                event.path("event").asText().equals("report")), demo::toString);
        E2e.assertEnds(0, "completed", demo);
    }

    /** Each field of the recorded report renamed, dropped, put elsewhere, made of another kind. */
    @Test
    void aChangeOfAnyFieldIsFound() throws IOException {
        ObjectNode report = (ObjectNode) recorded("completed-source").getLast();
        List<String> shape = Shape.of(report);
        assertTrue(shape.contains("/rounds[]/wireBytes: number"), shape::toString);
        int fields = 0;
        for (int i = 0; i < objects(report).size(); i++) {
            for (String name : names(objects(report).get(i))) {
                for (Change change : Change.values()) {
                    ObjectNode copy = report.deepCopy();
                    change.apply(objects(copy).get(i), name);
                    if (change != Change.REORDERED || objects(copy).get(i).size() > 1) {
                        assertNotEquals(shape, Shape.of(copy), change + " " + name);
                    }
                }
                fields++;
            }
        }
        assertTrue(fields > 60, fields + " fields");
    }

    private enum Change {
        RENAMED, DROPPED, REORDERED, RETYPED;

        void apply(ObjectNode object, String name) {
            Map<String, JsonNode> fields = new LinkedHashMap<>();
            object.properties().forEach(field -> fields.put(field.getKey(), field.getValue()));
            boolean last = names(object).getLast().equals(name);
            JsonNode value = fields.get(name);
            object.removeAll();
            if (this == REORDERED && last) {
                object.set(name, value);
            }
            fields.forEach((other, its) -> {
                if (!other.equals(name)) {
                    object.set(other, its);
                } else if (this == RENAMED) {
                    object.set(name + "s", its);
                } else if (this == RETYPED) {
                    object.put(name, its.isTextual() ? "" : "text");
                    if (its.isTextual()) {
                        object.put(name, 1);
                    }
                }
            });
            if (this == REORDERED && !last) {
                object.set(name, value);
            }
        }
    }

    private static List<String> names(ObjectNode object) {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    /** All objects of a tree, itself first. */
    private static List<ObjectNode> objects(JsonNode tree) {
        List<ObjectNode> objects = new ArrayList<>();
        if (tree instanceof ObjectNode object) {
            objects.add(object);
        }
        tree.forEach(child -> objects.addAll(objects(child)));
        return objects;
    }

    private static void assertAsRecorded(String name, Agent agent) throws IOException {
        List<JsonNode> recorded = recorded(name);
        List<JsonNode> now = List.copyOf(agent.events());
        assertEquals(lines(sequence(recorded)), lines(sequence(now)), agent::toString);
        Map<String, Set<List<String>>> shapes = shapes(now);
        shapes(recorded).forEach((event, shape) ->
                assertEquals(text(shape), text(shapes.get(event)), agent::toString));
        assertEquals(lines(Shape.words(recorded.getLast(), FREE)),
                lines(Shape.words(now.getLast(), FREE)), agent::toString);
    }

    /** Kinds of events, a state's with its name, a log's with its level, rounds as one. */
    private static List<String> sequence(List<JsonNode> events) {
        List<String> sequence = new ArrayList<>();
        for (JsonNode event : events) {
            String kind = (event.path("event").asText() + " " + event.path("state").asText()
                    + event.path("level").asText()).strip();
            if (!kind.equals("round") || !sequence.getLast().equals(kind)) {
                sequence.add(kind);
            }
        }
        return sequence;
    }

    private static Map<String, Set<List<String>>> shapes(List<JsonNode> events) {
        Map<String, Set<List<String>>> shapes = new LinkedHashMap<>();
        events.forEach(event -> shapes.computeIfAbsent(event.path("event").asText(),
                kind -> new LinkedHashSet<>()).add(Shape.of(event).stream()
                        .filter(line -> ADDED.stream().noneMatch(line::startsWith)).toList()));
        return shapes;
    }

    private static String text(Set<List<String>> shapes) {
        return lines(shapes.stream().map(RecordedReportTest::lines).toList());
    }

    private static String lines(List<String> lines) {
        return String.join("\n", lines);
    }

    private static List<JsonNode> recorded(String name) throws IOException {
        List<JsonNode> events = new ArrayList<>();
        try (InputStream file = RecordedReportTest.class
                .getResourceAsStream("recorded/" + name + ".jsonl")) {
            for (String line : new String(file.readAllBytes(), StandardCharsets.UTF_8).lines()
                    .toList()) {
                events.add(JSON.readTree(line));
            }
        }
        return events;
    }
}
