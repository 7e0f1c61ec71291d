package io.pageferry.bench.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.client.ApiEvents;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.Bench;
import io.pageferry.bench.Folders;
import io.pageferry.bench.Options;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import io.pageferry.bench.move.FreshPair;
import io.pageferry.bench.move.WarmAgents;
import io.pageferry.bench.move.WarmAgents.Side;
import io.pageferry.core.words.Quantity;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * Two agents that serve and their guard service: what they cost at rest, many moves at once both
 * ways, and moves beside those who read their events, or do not.
 */
public final class AgentBench extends Bench {
    private static final double MILLIS = 1e6;
    private static final double MIB = 1 << 20;
    private static final long SETTLE_NANOS = 10_000_000_000L;

    /** Of one processor, by an agent and the guard service. */
    private static final double IDLE_PERCENT = 0.5;
    private static final double IDLE_MIB = 200;
    private static final double SCRAPE_MILLIS = 20;
    private static final double SLOWEST = 3;
    private static final double READ = 1.02;
    private static final double HUNG = 1.10;

    private static final Duration SILENCE = Duration.ofMinutes(1);
    private static final double P90 = 0.9;
    private static final int READERS = 10;
    private static final int HANGING = 256;
    private static final int SLOW = 16;
    private static final int SCRAPES = 20;

    private final Rows rows = new Rows("agents", 0);

    /** Made by the service loader. */
    public AgentBench() {
    }

    @Override
    public String name() {
        return "agents";
    }

    @Override
    public String about() {
        return "[--moves 50] [--memory 64MiB] [--runs 7] [--idle 30s]: agents that serve: at rest,"
                + " with many moves at once, beside those who read their events";
    }

    @Override
    protected ObjectNode measure(Options options, Output output) throws IOException {
        int each = (options.count("moves", 50, 2) + 1) / 2;
        String memory = options.bytes("memory", "64MiB") + "B";
        int runs = options.count("runs", 7, 1);
        long idle = Quantity.nanos(options.text("idle", "30s"));
        Path folder = Folders.temporary();
        try (WarmAgents agents = new WarmAgents(Map.of(),
                List.of("--max-parallel", Integer.toString(each)), folder)) {
            output.note("at rest …");
            atRest(agents, idle);
            output.note(2 * each + " moves at once …");
            atOnce(agents, each, memory);
            output.note("beside readers of events …");
            besideReaders(agents, runs);
            output.note("beside readers that hang …");
            besideHanging(agents, runs);
        } finally {
            Folders.delete(folder);
        }
        return rows.result();
    }

    private void atRest(WarmAgents agents, long nanos) throws IOException {
        List<Long> pids = List.of(agents.source().pid(), agents.guardPid());
        LockSupport.parkNanos(SETTLE_NANOS);
        long begun = System.nanoTime();
        Footprint before = Footprint.of(pids);
        LockSupport.parkNanos(nanos);
        Footprint after = Footprint.of(pids);
        double percent = 100.0 * (after.processorNanos() - before.processorNanos())
                / (System.nanoTime() - begun);
        Rows.atMost(rows.add("at rest, an agent and the guard service, of a processor",
                new Sample(percent), "%", true), percent, IDLE_PERCENT);
        double resident = after.residentBytes() / MIB;
        Rows.atMost(rows.add("at rest, their resident memory", new Sample(resident), "MiB", true),
                resident, IDLE_MIB);
    }

    /** A move that is under way, and the agent that has it. */
    private record Away(Side from, String migration) { }

    private void atOnce(WarmAgents agents, int each, String memory) throws IOException {
        List<Long> pids = List.of(agents.source().pid(), agents.target().pid());
        List<Side> sides = List.of(agents.source(), agents.target());
        Footprint before = Footprint.of(pids);
        for (int i = 0; i < each; i++) {
            for (Side side : sides) {
                side.open("s" + i, "workload:" + memory);
            }
        }
        List<Away> away = new ArrayList<>();
        for (int i = 0; i < each; i++) {
            for (int from = 0; from < sides.size(); from++) {
                away.add(new Away(sides.get(from), sides.get(from).submit("workload:" + memory
                        + "?rate=1MiB/s", sides.get(1 - from), "s" + i)));
            }
        }
        double[] scrapes = new double[SCRAPES];
        for (int i = 0; i < SCRAPES; i++) {
            long begun = System.nanoTime();
            agents.source().api().call("GET", "/metrics");
            scrapes[i] = (System.nanoTime() - begun) / MILLIS;
        }
        List<JsonNode> reports = new ArrayList<>();
        for (Away one : away) {
            reports.add(one.from().ended(one.migration()));
        }
        for (int i = 0; i < each; i++) {
            for (Side side : sides) {
                side.delete("s" + i);
            }
        }
        many(reports, scrapes);
        back(before, pids);
    }

    private void many(List<JsonNode> reports, double[] scrapes) {
        long good = reports.stream().filter(FreshPair::isGood).count();
        boolean all = good == reports.size();
        rows.note("moves at once that ended well", all ? "OK" : "FAIL",
                good + " of " + reports.size());
        Sample totals = new Sample(reports.stream()
                .mapToDouble(one -> one.path("totalMs").asDouble()).toArray());
        ObjectNode slowest = rows.add("their total time", totals, "ms", all);
        Rows.atMost(slowest.put("ratio", Math.round(totals.high() / totals.median() * 100) / 100.0)
                .put("against", "the slowest, the median"), totals.high() / totals.median(),
                SLOWEST);
        Sample scrape = new Sample(scrapes);
        Rows.atMost(rows.add("a scrape of the metrics meanwhile", scrape, "ms", true),
                scrape.median(), SCRAPE_MILLIS);
    }

    /** What moves took is given back, some of it only after a while. */
    private void back(Footprint before, List<Long> pids) throws IOException {
        Footprint now = Footprint.of(pids);
        for (int i = 0; i < 60 && (now.threads() > before.threads()
                || now.descriptors() > before.descriptors()); i++) {
            LockSupport.parkNanos(500_000_000L);
            now = Footprint.of(pids);
        }
        Rows.atMost(rows.add("threads afterwards, of " + before.threads() + " before",
                new Sample(now.threads()), "", true), now.threads(), before.threads());
        Rows.atMost(rows.add("descriptors afterwards, of " + before.descriptors() + " before",
                new Sample(now.descriptors()), "", true), now.descriptors(),
                before.descriptors());
    }

    private void besideReaders(WarmAgents agents, int runs) throws IOException {
        double[] alone = new double[runs];
        double[] beside = new double[runs];
        boolean good = true;
        for (int i = 0; i < runs; i++) {
            JsonNode first = move(agents);
            List<ApiEvents> readers = new ArrayList<>();
            JsonNode second;
            try {
                for (int reader = 0; reader < READERS; reader++) {
                    readers.add(reader(agents.source()));
                }
                second = move(agents);
            } finally {
                for (ApiEvents one : readers) {
                    one.close();
                }
            }
            good &= FreshPair.isGood(first) && FreshPair.isGood(second);
            alone[i] = first.path("totalMs").asDouble();
            beside[i] = second.path("totalMs").asDouble();
        }
        ObjectNode row = compare("total time beside " + READERS + " readers of events",
                new Sample(beside), new Sample(alone), good);
        Rows.atMost(row, row.path("ratio").asDouble(), READ);
    }

    /** Reads all events on a thread of its own, until it is closed. */
    private static ApiEvents reader(Side side) throws IOException {
        ApiEvents events = side.api().events("/v1/events", "");
        Thread.ofPlatform().daemon().name("reader of events").start(() -> {
            try {
                while (true) {
                    events.next(SILENCE);
                }
            } catch (IOException e) {
                return; // it was closed
            }
        });
        return events;
    }

    private void besideHanging(WarmAgents agents, int runs) throws IOException {
        double[] alone = new double[runs];
        double[] beside = new double[runs];
        boolean good = true;
        for (int i = 0; i < runs; i++) {
            JsonNode first = move(agents);
            JsonNode second;
            try (HangingReaders _ = new HangingReaders(agents.source().socket(), HANGING, SLOW)) {
                second = move(agents);
            }
            good &= FreshPair.isGood(first) && FreshPair.isGood(second);
            alone[i] = first.path("downtimeMs").asDouble();
            beside[i] = second.path("downtimeMs").asDouble();
        }
        Sample hung = new Sample(beside);
        Sample free = new Sample(alone);
        ObjectNode row = compare(String.format(Locale.ROOT, "downtime beside %d readers that hang"
                + " and %d requests that do not end", HANGING, SLOW), hung, free, good);
        double p90 = hung.percentile(P90) / free.percentile(P90);
        Rows.atMost(row.put("p90", Math.round(p90 * 1000) / 1000.0), p90, HUNG);
    }

    private static JsonNode move(WarmAgents agents) throws IOException {
        return agents.move("workload:512MiB?rate=16MiB/s", "workload:512MiB");
    }

    private ObjectNode compare(String what, Sample beside, Sample alone, boolean good) {
        rows.add(what.substring(0, what.indexOf(" beside")) + " alone", alone, "ms", good);
        return rows.add(what, beside, "ms", new Rows.Against("alone", alone.median(), 0), good);
    }
}
