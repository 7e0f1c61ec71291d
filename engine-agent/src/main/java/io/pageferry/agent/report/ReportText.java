package io.pageferry.agent.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A report for people: the three figures first. */
public final class ReportText {
    private static final double MEBI = 1 << 20;

    private ReportText() {
    }

    /**
     * Writes a report out.
     *
     * @param report as JSON
     * @return lines
     */
    public static List<String> of(JsonNode report) {
        List<String> lines = new ArrayList<>();
        lines.add("");
        lines.add("result:        " + report.path("result").asText());
        if (report.has("error")) {
            JsonNode error = report.path("error");
            lines.add("reason:        " + error.path("reason").asText()
                    + " (" + error.path("code").asText() + ", "
                    + error.path("side").asText() + ")");
            add(lines, "what to do:    ", error.path("remedy").asText());
        }
        if (report.has("migrationId")) {
            body(report, lines);
        }
        return lines;
    }

    private static void body(JsonNode report, List<String> lines) {
        lines.add("migration:     " + report.path("migrationId").asText());
        lines.add(format("guest:         %s '%s', %.0f MiB", report.at("/guest/kind").asText(),
                report.at("/guest/name").asText(),
                report.at("/guest/memoryBytes").asLong() / MEBI));
        if (report.path("totalMs").asDouble() > 0) {
            lines.add(format("total time:    %.1f ms (and %.0f ms to start)",
                    report.path("totalMs").asDouble(), report.path("startupMs").asDouble()));
            lines.add(format("downtime:      %.1f ms%s", report.path("downtimeMs").asDouble(),
                    predicted(report)));
            lines.add("guest slowed:  " + report.at("/guestSlowdown/percent").asText("0")
                    + " %" + (report.at("/guestSlowdown/by").isTextual()
                            ? " by " + report.at("/guestSlowdown/by").asText() : ""));
        }
        int rounds = report.path("rounds").size();
        add(lines, "rounds:        ", rounds == 0 ? "" : rounds
                + (report.path("stopReason").isTextual() ? ", the stop-and-copy round last;"
                + " stopped for " + report.path("stopReason").asText() : ""));
        lines.add(format("sent:          %.1f MiB of guest memory as %.1f MiB on the wire",
                report.path("guestBytes").asLong() / MEBI,
                report.path("wireBytes").asLong() / MEBI));
        JsonNode after = report.path("afterResume");
        add(lines, "after resume:  ", after.isObject() ? format("%d first touches of pages, %.0f ms"
                + " of processor, in %.0f ms", after.path("faults").asLong(),
                after.path("cpuMs").asDouble(), after.path("windowMs").asDouble()) : "");
        JsonNode drain = report.path("drain");
        add(lines, "disks:         ", drain.isObject() ? format("waited for %d times, %.0f ms in"
                + " all, %.0f ms at most", drain.path("count").asLong(),
                drain.path("totalMs").asDouble(), drain.path("longestMs").asDouble()) : "");
        JsonNode unread = report.path("unread");
        add(lines, "unread:        ", unread.isObject() ? unread.path("pages").asLong() + " pages,"
                + " moved as zeros" : "");
        int channels = report.path("channels").asInt();
        lines.add("how:           " + known(report, "tracker") + known(report, "codec") + channels
                + (channels == 1 ? " channel, " : " channels, ")
                + report.path("transport").asText()
                + (report.path("tls").asBoolean() ? ", TLS" : ""));
        verification(report.path("verification"), lines);
        check(report.path("guestCheck"), lines);
        lines.add("owner:         " + report.at("/owner/side").asText() + ", epoch "
                + report.at("/owner/epoch").asLong());
    }

    /** Empty where this side does not know it, as the target how the source tracks. */
    private static String known(JsonNode report, String field) {
        return report.path(field).isTextual() ? field + " " + report.path(field).asText() + ", "
                : "";
    }

    private static void verification(JsonNode verification, List<String> lines) {
        if (verification.path("match").isBoolean()) {
            boolean equal = verification.path("match").asBoolean();
            lines.add("verification:  " + verification.path("method").asText() + ", "
                    + verification.path("pages").asLong() + " pages, digests "
                    + (equal ? "equal: " : "DIFFER: ")
                    + verification.path("sourceDigest").asText()
                    + (equal ? "" : " / " + verification.path("targetDigest").asText()));
        }
        JsonNode audit = verification.path("audit");
        if (audit.isObject()) {
            lines.add("audit:         " + audit.path("differing").asLong() + " of "
                    + audit.path("pages").asLong() + " pages differ from the source's memory");
        }
    }

    private static void check(JsonNode check, List<String> lines) {
        if (check.isObject()) {
            lines.add("guest check:   " + value(check, "failures") + " failures, "
                    + value(check, "lostTicks") + " lost ticks, " + value(check, "ticksSource")
                    + " ticks at the source, " + value(check, "ticksTarget") + " at the target");
        }
    }

    private static String value(JsonNode node, String field) {
        return node.path(field).isNumber() ? node.path(field).asText() : "?";
    }

    private static String predicted(JsonNode report) {
        JsonNode predicted = report.path("predictedDowntimeMs");
        return predicted.isObject()
                ? format(" (predicted %.0f ms, P95 %.0f ms)", predicted.path("p50").asDouble(),
                        predicted.path("p95").asDouble())
                : "";
    }

    private static void add(List<String> lines, String label, String text) {
        if (!text.isEmpty()) {
            lines.add(label + text);
        }
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
