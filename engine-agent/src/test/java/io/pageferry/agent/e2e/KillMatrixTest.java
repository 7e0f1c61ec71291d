package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * The agent of one side, the guard service or both are killed while ten guests move and stand in
 * one state. Restarted, each says within seconds who has each guest: one side, or nobody, with the
 * reason. Two of the guests are QEMUs, of which it is looked which one runs.
 *
 * <p>A sample, drawn by the seed of the run; all with {@code -Dpageferry.full=true}, see
 * docs/RELIABILITY.md
 */
@Sampled
@Tag("full")
class KillMatrixTest {
    private static final int SAMPLE = 6;
    private static final int EMBEDDED = 8;
    private static final int MACHINES = 2;
    private static final int MOVES = EMBEDDED + MACHINES;

    /** From the restart on. */
    private static final Duration SOON = Duration.ofSeconds(5);

    @TempDir
    private Path folder;

    private Rig rig;
    private final List<BareGuest> here = new ArrayList<>();
    private final List<BareGuest> there = new ArrayList<>();
    private Agent guards;
    private ServedAgent source;
    private ServedAgent target;
    private boolean isSourceDead;
    private final List<String> moves = new ArrayList<>();

    /** Who is killed. */
    private enum Victims { AGENT, GUARD, BOTH }

    /** The side that stands still, and where. */
    private record Case(boolean atSource, String state, Victims victims) {
        String side() {
            return atSource ? "source" : "target";
        }

        /** Where a side stands still; to come to some states the other one has to, as well. */
        String hold(boolean ofSource) {
            return ofSource == atSource ? state : state.equals("owned") ? "ready"
                    : state.equals("refused") ? "granted" : "";
        }

        /** Of one that is refused the source was killed before. */
        boolean isKilled(boolean ofSource) {
            return ofSource && state.equals("refused")
                    || ofSource == atSource && victims != Victims.GUARD;
        }

        @Override
        public String toString() {
            return side() + " " + state + ", " + victims;
        }
    }

    @TestFactory
    List<DynamicTest> everyGuestIsOnOneSideOrInDoubt() {
        E2e.needTracking();
        List<Case> all = new ArrayList<>();
        for (Victims victims : Victims.values()) {
            for (String state : List.of("negotiating", "precopy", "round 0", "switchover",
                    "paused", "owned", "granted", "done")) {
                all.add(new Case(true, state, victims));
            }
            for (String state : List.of("receiving", "ready", "refused", "active", "running")) {
                all.add(new Case(false, state, victims));
            }
        }
        // The others have not all been seen to end well yet: they are the full count's.
        List<Case> usual = all.stream().filter(one -> one.atSource
                && List.of("precopy", "granted").contains(one.state)).toList();
        return Draw.sample(Draw.FULL ? all : usual, SAMPLE).stream()
                .map(one -> DynamicTest.dynamicTest(one.toString(), () -> run(one))).toList();
    }

    private void run(Case now) throws IOException {
        Path place = Files.createDirectory(folder.resolve(now.toString().replaceAll("\\W+", "-")));
        moves.clear();
        isSourceDead = false;
        try (Rig own = new Rig(place)) {
            rig = own;
            begin(now);
            kill(now);
            settles(now);
            goOn(now);
            Poll.until(() -> isOver() && trouble(now).isEmpty(), () -> told(now));
            assertComplete();
        } finally {
            for (BareGuest guest : concat()) {
                guest.close();
            }
            here.clear();
            there.clear();
        }
    }

    /** Without what other processes took of the machine's time. */
    private void settles(Case now) throws IOException {
        try {
            Poll.soon(SOON, () -> trouble(now).isEmpty(), "no word on each guest",
                    source.agent(), target.agent());
        } catch (AssertionError e) {
            throw new AssertionError(told(now), e);
        }
    }

    private String told(Case now) {
        try {
            return now + ": " + trouble(now) + "\n" + source + "\n" + target + "\n" + guards;
        } catch (IOException e) {
            return now + ": " + e;
        }
    }

    private List<BareGuest> concat() {
        return Stream.concat(here.stream(), there.stream()).toList();
    }

    private void begin(Case now) throws IOException {
        ObjectNode book = ServedAgent.JSON.createObjectNode();
        for (int i = 0; i < MACHINES; i++) {
            Path of = Files.createDirectory(rig.folder().resolve("vm" + i));
            here.add(BareGuest.booting(TestMachines.tools(), of, "here", BareProgram.COUNTS));
            there.add(BareGuest.waiting(TestMachines.tools(), of, "there", BareProgram.COUNTS));
            book.withArray("guests").addObject().put("name", "vm" + i)
                    .put("uri", there.get(i).uri());
        }
        Files.writeString(rig.folder().resolve("guests.json"), book.toString());
        Files.createFile(rig.folder().resolve("agent.conf"));
        guards = rig.guardService();
        source = serve("source", now.hold(true), "127.0.0.1:0");
        target = serve("target", now.hold(false), "127.0.0.1:" + freePort());
        ObjectNode options = ServedAgent.JSON.createObjectNode().put("reconnectWindow", "3s")
                .put("settleWindow", "3s").put("maxSwitchover", "60s");
        for (int i = 0; i < MOVES; i++) {
            String slot = i < EMBEDDED ? "w" + i : "vm" + (i - EMBEDDED);
            target.slot(slot, i < EMBEDDED ? "workload:8MiB" : slot);
            moves.add(source.submit(i < EMBEDDED ? "workload:8MiB?rate=1MiB/s"
                    : here.get(i - EMBEDDED).uri(), target.listens(), slot, options));
        }
        if (now.state().equals("owned")) {
            awaitAll(target, "target", "ready");
            for (String id : moves) {
                if (isAt(target, id, "target", "ready")) {
                    source.call("POST", "/v1/migrations/" + id + "/cancel");
                }
            }
        } else if (now.state().equals("refused")) {
            awaitAll(source, "source", "granted");
            source.agent().kill();
            isSourceDead = true;
        }
        awaitAll(now.atSource() ? source : target, now.side(), now.state());
    }

    private ServedAgent serve(String name, String hold, String listen) throws IOException {
        return ServedAgent.start(new ServedAgent.Place(rig, name, listen), hold, List.of(),
                "--config", rig.folder().resolve("agent.conf").toString(), "--max-parallel",
                Integer.toString(MOVES));
    }

    private static int freePort() throws IOException {
        try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return any.getLocalPort();
        }
    }

    /**
     * Waits until they stand there. While the others come one may give up, as nothing is heard of a
     * side that stands still: that is one more state to be killed in.
     */
    private void awaitAll(ServedAgent agent, String side, String state) throws IOException {
        int standing = 0;
        for (String id : moves) {
            Poll.until(() -> isAt(agent, id, side, state) || hasEnded(id),
                    () -> agent + " does not come to " + state + " with " + id);
            standing += isAt(agent, id, side, state) ? 1 : 0;
        }
        System.out.println(standing + " of " + MOVES + " stand at " + state);
        assertTrue(standing > 0, () -> "none comes to " + state + " of " + agent);
    }

    /** At either side that lives; of what a target never heard its source may not tell any more. */
    private boolean hasEnded(String id) throws IOException {
        View to = views(target, "target").getOrDefault(id, View.NONE);
        return to.ended() || (isSourceDead ? to == View.NONE
                : views(source, "source").getOrDefault(id, View.NONE).ended());
    }

    private static boolean isAt(ServedAgent agent, String id, String side, String state)
            throws IOException {
        JsonNode rounds = agent.all().stream().anyMatch(one -> is(one, id, side))
                ? agent.call("GET", "/v1/migrations/" + id + "/rounds?side=" + side).path("rounds")
                : ServedAgent.JSON.createArrayNode();
        return switch (state) {
            case "round 0" -> !rounds.isEmpty();
            case "paused" -> rounds.findValuesAsText("phase").contains("stop-and-copy");
            default -> agent.all().stream().anyMatch(one -> is(one, id, side)
                    && one.path("state").asText().equals(state));
        };
    }

    private static boolean is(JsonNode one, String id, String side) {
        return one.path("id").asText().equals(id) && one.path("side").asText().equals(side);
    }

    /** Kills, and starts again what was killed. */
    private void kill(Case now) throws IOException {
        if (now.victims() != Victims.AGENT) {
            guards.kill();
        }
        if (now.victims() != Victims.GUARD) {
            (now.atSource() ? source : target).agent().kill();
        }
        if (now.victims() != Victims.AGENT) {
            guards = rig.guardService();
        }
        if (now.isKilled(false)) {
            target = serve("target", "", target.listens());
        }
        if (now.isKilled(true)) {
            source = serve("source", "", "127.0.0.1:0");
        }
    }

    /** Lets those go on that stand still and live. */
    private void goOn(Case now) throws IOException {
        if (!now.isKilled(true) && !now.hold(true).isEmpty()) {
            source.agent().goOn();
        }
        if (!now.isKilled(false) && !now.hold(false).isEmpty()) {
            target.agent().goOn();
        }
    }

    /** What is wrong with who has the guests; empty for nothing. */
    private String trouble(Case now) throws IOException {
        Map<String, View> ours = views(source, "source");
        Map<String, View> theirs = views(target, "target");
        StringBuilder trouble = new StringBuilder();
        for (int i = 0; i < MOVES; i++) {
            String id = moves.get(i);
            View from = ours.getOrDefault(id, View.NONE);
            View to = theirs.getOrDefault(id, View.NONE);
            String what = id + " source " + from + ", target " + to;
            if (from == View.NONE || now.isKilled(true) && !from.ended()
                    || now.isKilled(false) && to != View.NONE && !to.ended()) {
                trouble.append("not told: ").append(what).append('\n');
            }
            if (from.isOurs() && to.isTheirs() || from.isGone() && !to.isTheirs()
                    || from.isSilent() || to.isSilent()) {
                trouble.append("not one owner: ").append(what).append('\n');
            }
            if (i >= EMBEDDED) {
                String runs = running(i - EMBEDDED);
                if (runs.equals("both") || from.isSure()
                        && !runs.equals(from.isOurs() ? "here" : "there")) {
                    trouble.append("runs ").append(runs).append(": ").append(what).append('\n');
                }
            }
        }
        return trouble.toString();
    }

    private String running(int machine) throws IOException {
        boolean atSource = here.get(machine).condition().equals("running");
        boolean atTarget = there.get(machine).condition().equals("running");
        return atSource && atTarget ? "both" : atSource ? "here" : atTarget ? "there" : "nowhere";
    }

    private static Map<String, View> views(ServedAgent agent, String side) throws IOException {
        Map<String, View> views = new LinkedHashMap<>();
        for (JsonNode one : agent.all()) {
            if (one.path("side").asText().equals(side)) {
                String id = one.path("id").asText();
                boolean ended = one.path("phase").asText().equals("ended");
                views.put(id, new View(one.path(ended ? "result" : "state").asText(), ended,
                        one.path("exitCode").asInt(), !ended ? "" : agent.call("GET",
                                "/v1/migrations/" + id + "/report?side=" + side)
                                .at("/error/reason").asText()));
            }
        }
        return views;
    }

    /** What an agent says of a move. */
    private record View(String word, boolean ended, int code, String why) {
        static final View NONE = new View("unknown", false, 0, "");

        boolean isOurs() {
            return ended ? code == 3 || code == 4 || code == 7
                    : !Set.of("granted", "done").contains(word);
        }

        boolean isGone() {
            return ended ? code == 0 || code == 5 : word.equals("done");
        }

        boolean isTheirs() {
            return ended ? code == 0 || code == 5
                    : Set.of("active", "running").contains(word);
        }

        /** Whether the guest runs now at the side that has it: at others it may stand paused. */
        boolean isSure() {
            return ended ? code != 6 : Set.of("negotiating", "precopy").contains(word);
        }

        boolean isDoubt() {
            return ended && code == 6;
        }

        boolean isSilent() {
            return isDoubt() && why.isEmpty();
        }
    }

    /**
     * Both sides are there, so nothing stays in doubt; but where a guest lived in a target's agent
     * that was killed with the grant taken: nobody knows whether it had run.
     */
    private boolean isOver() throws IOException {
        Map<String, View> theirs = views(target, "target");
        return views(source, "source").entrySet().stream().allMatch(one -> one.getValue().ended()
                && (!one.getValue().isDoubt() || theirs.getOrDefault(one.getKey(), View.NONE)
                        .code() == 5));
    }

    /** Each agent's history has each move that it took part in, with its result. */
    private void assertComplete() throws IOException {
        Set<String> came = views(target, "target").keySet();
        for (ServedAgent agent : List.of(source, target)) {
            agent.agent().signal(Signal.TERM);
            assertEquals(0, agent.agent().exit(), agent::toString);
        }
        for (String id : moves) {
            assertKept("source", id);
        }
        for (String id : came) {
            assertKept("target", id);
        }
    }

    private void assertKept(String side, String id) throws IOException {
        try (Stream<Path> files = Files.list(rig.folder().resolve(side).resolve("history"))) {
            List<Path> kept = files.filter(file -> file.toString().endsWith(
                    id + "." + side + ".json")).toList();
            assertEquals(1, kept.size(), () -> id + " of the " + side);
            JsonNode resource = ServedAgent.JSON.readTree(kept.getFirst().toFile());
            assertEquals("ended", resource.path("phase").asText(), resource::toString);
            assertTrue(resource.path("result").isTextual(), resource::toString);
        }
    }
}
