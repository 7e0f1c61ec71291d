package io.pageferry.agent.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.report.Output;
import io.pageferry.core.words.Printable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code pageferry top}: what moves at the moment. */
@Command(name = "top", description = "what moves at the moment, each second on a terminal")
public final class TopCommand implements Callable<Integer> {
    private static final long PERIOD_MILLIS = 1000;
    private static final double MEBI = 1 << 20;
    private static final String ROW = "%-36s  %-6s  %-12s  %5s  %9s  %9s  %10s  %5s  %9s  %s";
    private static final String HOME_AND_WIPE = "\u001b[H\u001b[J";

    @Mixin
    private AgentArguments api;

    @Mixin
    private CommonOptions common;

    /** Made by the command line. */
    public TopCommand() {
    }

    /** Until Ctrl-C on a terminal; once where it is none, or where JSON is asked for. */
    @Override
    public Integer call() throws IOException {
        ApiClient agent = api.required();
        Output output = common.output();
        if (output.isJson()) {
            moving(agent).forEach(move ->
                    output.emit(Output.event("migration").setAll((ObjectNode) move)));
            return 0;
        }
        if (!CommonOptions.terminal()) {
            table(moving(agent)).forEach(output::human);
            return 0;
        }
        do {
            StringBuilder screen = new StringBuilder(HOME_AND_WIPE);
            table(moving(agent)).forEach(line ->
                    screen.append(Printable.of(line)).append('\n'));
            System.out.print(screen);
            System.out.flush();
        } while (pause());
        return 0;
    }

    private static boolean pause() {
        try {
            Thread.sleep(PERIOD_MILLIS);
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    private static List<JsonNode> moving(ApiClient agent) throws IOException {
        List<JsonNode> moving = new ArrayList<>();
        for (String phase : List.of("running", "queued")) {
            agent.call("GET", "/v1/migrations?phase=" + phase).path("migrations")
                    .forEach(moving::add);
        }
        return moving;
    }

    static List<String> table(List<JsonNode> moving) {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(Locale.ROOT, ROW, "ID", "SIDE", "STATE", "ROUND", "LEFT MiB",
                "SENT MiB", "MiB/s", "SLOW", "DOWNTIME", "GUEST"));
        moving.forEach(move -> lines.add(row(move)));
        return lines;
    }

    private static String row(JsonNode move) {
        return String.format(Locale.ROOT, ROW, move.path("id").asText(),
                move.path("side").asText(), move.path("state").asText(),
                Math.max(0, move.path("round").asInt()),
                mebi(move.path("leftPages").asLong() * 4096.0),
                mebi(move.path("wireBytes").asDouble()),
                mebi(move.path("wireBytesPerSecond").asDouble()),
                Math.round(move.path("throttlePercent").asDouble()) + "%",
                Math.round(move.at("/predictedDowntimeMs/p95").asDouble()) + "ms",
                move.path("guest").asText());
    }

    private static String mebi(double bytes) {
        return String.format(Locale.ROOT, "%.1f", bytes / MEBI);
    }
}
