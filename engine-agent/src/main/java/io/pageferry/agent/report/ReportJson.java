package io.pageferry.agent.report;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.guest.DiskCopies;
import io.pageferry.agent.guest.GuestCheck;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.round.LimitChange;
import io.pageferry.core.words.Labelled;
import java.util.List;
import java.util.Optional;

/**
 * Writes a report as {@code pageferry.report/1}: one JSON object, the same shape on both sides.
 * Names, their order and the formats of numbers are public.
 */
final class ReportJson {
    private static final String SCHEMA = "pageferry.report/1";

    private final Side side;
    private final ObjectNode json = Output.event("report").put("schema", SCHEMA);

    private ReportJson(Side side) {
        this.side = side;
    }

    static ObjectNode of(Report report) {
        ReportJson writer = new ReportJson(report.side());
        writer.json.put("side", report.side().label());
        writer.ended(report.outcome());
        report.body().ifPresent(body -> {
            writer.begun(body.begin(), body.peer());
            writer.slowdown(body);
            writer.measured(body);
            writer.verification(body.proof());
            body.guest().check().ifPresent(check -> writer.check(check));
            writer.json.putObject("owner").put("side", body.owner().label())
                    .put("epoch", body.epoch());
            body.guest().storage().ifPresent(writer::storage);
            writer.changed(body.changes());
        });
        return writer.json;
    }

    private void ended(Outcome outcome) {
        json.put("result", switch (outcome.result()) {
            case FAILED, FAILED_AT_TARGET, BUG -> "failed";
            case COMPLETED, REFUSED, IN_DOUBT, CANCELLED, GUEST_ENDED -> outcome.result().label();
        });
        if (outcome.result() != Outcome.Result.COMPLETED) {
            json.putObject("error").put("code", outcome.code().label())
                    .put("reason", outcome.reason()).put("side", outcome.side().label())
                    .put("remedy", outcome.remedy());
        }
    }

    private void changed(List<LimitChange> changes) {
        if (changes.isEmpty()) {
            return;
        }
        ArrayNode all = json.putArray("limitsChanged");
        changes.forEach(change -> all.addObject().put("atMs", Rounds.millis(change.atNanos()))
                .put("what", change.what()).put("from", change.from()).put("to", change.to()));
    }

    private void begun(Report.Begin begin, Optional<String> peer) {
        json.put("migrationId", begin.migrationId().toString());
        GuestDescription guest = begin.guest();
        ArrayNode regions = json.putObject("guest").put("kind", guest.kind())
                .put("name", guest.name()).put("memoryBytes", guest.regions().totalBytes())
                .put("pageSize", PageGeometry.PAGE_SIZE).putArray("regions");
        for (Region region : guest.regions().regions()) {
            regions.addObject().put("name", region.name()).put("guestBase", region.guestBase())
                    .put("size", region.size()).put("granule", region.granule());
        }
        Report.Choices choices = begin.choices();
        json.put("policy", choices.policy().map(Labelled::label).orElse(null))
                .put("tracker", choices.tracker().orElse(null))
                .put("channels", choices.channels())
                .put("codec", choices.codec().map(Labelled::label).orElse(null))
                .put("transport", choices.transport()).put("tls", choices.tls());
        ObjectNode access = json.putObject("memoryAccess");
        for (Side each : Side.values()) {
            access.put(each.label(), (each == side ? choices.access() : peer).orElse(null));
        }
        json.put("startupMs", Rounds.millis(begin.startupNanos()));
    }

    private void slowdown(Report.Body body) {
        ObjectNode node = json.putObject("guestSlowdown");
        body.slowdown().ifPresentOrElse(cost -> {
            node.put("percent", Rounds.tenths(cost.percent()))
                    .put("stolenMs", Rounds.millis(cost.stolenNanos()))
                    .put("maxThrottlePercent", Rounds.tenths(cost.maxPercent()));
            cost.by().ifPresent(throttle -> node.put("by", throttle));
        }, () -> node.put("percent", 0).put("stolenMs", 0).put("maxThrottlePercent", 0));
        json.put("reconnects", body.traffic().reconnects())
                .put("resentBytes", body.traffic().resentBytes());
    }

    private void measured(Report.Body body) {
        Report.Times times = body.times();
        json.put("totalMs", Rounds.millis(times.totalNanos()));
        json.put("downtimeMs", Rounds.millis(times.downtimeNanos()));
        ObjectNode parts = json.putObject("downtime");
        times.parts().forEach((part, nanos) -> parts.put(part.label(), Rounds.millis(nanos)));
        times.predicted().ifPresent(p -> json.putObject("predictedDowntimeMs")
                .put("p50", Rounds.millis(p.p50Nanos())).put("p95", Rounds.millis(p.p95Nanos())));
        json.set("rounds", Rounds.json(body.rounds()));
        body.stop().ifPresent(reason -> json.put("stopReason", reason.label()));
        Report.Traffic traffic = body.traffic();
        json.put("guestBytes", traffic.guestBytes()).put("wireBytes", traffic.wireBytes());
        json.put("goodputBytesPerSecond", times.totalNanos() == 0 ? 0
                : Math.round(traffic.guestBytes() * 1e9 / times.totalNanos()));
        json.put("deviceStateBytes", traffic.stateBytes());
        body.guest().resumed().ifPresentOrElse(after -> json.putObject("afterResume")
                .put("windowMs", Rounds.millis(after.windowNanos())).put("faults", after.faults())
                .put("cpuMs", Rounds.millis(after.cpuNanos())), () -> json.putNull("afterResume"));
        body.guest().unread().ifPresent(unread -> {
            ArrayNode places = json.putObject("unread").put("pages", unread.pages())
                    .putArray("places");
            unread.places().forEach(places::add);
        });
        body.guest().drained().ifPresent(costs -> json.putObject("drain")
                .put("count", costs.count()).put("totalMs", Rounds.millis(costs.totalNanos()))
                .put("longestMs", Rounds.millis(costs.longestNanos())));
    }

    private void verification(Report.Proof proof) {
        boolean known = proof.match().isPresent();
        ObjectNode verification = json.putObject("verification");
        verification.put("method", proof.method().label())
                .put("pages", known ? proof.pages() : 0)
                .put("sourceDigest", known ? hex(proof.source()) : null)
                .put("targetDigest", known ? hex(proof.target()) : null)
                .put("match", proof.match().orElse(null));
        proof.audit().ifPresent(audit -> verification.putObject("audit")
                .put("pages", audit.pages()).put("differing", audit.differing()));
    }

    private void check(GuestCheck found) {
        json.putObject("guestCheck")
                .put("ticksSource", found.ticksSource()).put("ticksTarget", found.ticksTarget())
                .put("lostTicks", found.lostTicks()).put("failures", found.failures());
    }

    private void storage(DiskCopies disks) {
        ArrayNode drives = json.putObject("storage").put("bytes", disks.wireBytes())
                .put("durationMs", Rounds.millis(disks.nanos())).putArray("drives");
        disks.disks().forEach(disk -> drives.addObject().put("name", disk.name())
                .put("size", disk.size()).put("copiedBytes", disk.bytes()));
    }

    private static String hex(long digest) {
        return String.format("%016x", digest);
    }
}
