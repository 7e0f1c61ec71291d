package io.pageferry.agent.report;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.guest.DiskCopies;
import io.pageferry.agent.guest.GuestCheck;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.handover.MigrationFigures;
import io.pageferry.core.handover.MigrationFigures.Part;
import io.pageferry.core.incoming.TargetFigures;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.migration.Outcome;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/** Makes the report, {@code pageferry.report/1}: one JSON object, the same shape on both sides. */
public final class Report {
    private static final String SCHEMA = "pageferry.report/1";

    private final ObjectNode json = Output.event("report").put("schema", SCHEMA);

    private Report(String side) {
        json.put("side", side);
    }

    /**
     * What the command line chose, as the report says it.
     *
     * @param policy    {@code downtime-budget} or {@code kvm-classic}
     * @param tracker   the tracker that ran
     * @param channels  data channels
     * @param codec     as asked for
     * @param transport of Netty
     * @param verify    {@code sent} or {@code none}
     */
    public record Choices(String policy, String tracker, int channels, String codec,
            String transport, String verify) { }

    /**
     * What is known from the beginning.
     *
     * @param migrationId   names it
     * @param guest         what is moved
     * @param choices       of the command line
     * @param startupNanos  start of the process to the first byte of negotiation
     */
    public record Begin(UUID migrationId, GuestDescription guest, Choices choices,
            long startupNanos) { }

    /**
     * Makes a report of a migration that never began.
     *
     * @param side    source or target
     * @param outcome how it ended
     * @return the report
     */
    public static Report ofNothing(String side, Outcome outcome) {
        return new Report(side).ended(outcome);
    }

    /**
     * Makes the source's report.
     *
     * @param begin   what is known from the beginning
     * @param outcome how it ended
     * @param figures what was measured
     * @param check   the guest's own, if it has one
     * @return the report
     */
    public static Report ofSource(Begin begin, Outcome outcome, MigrationFigures figures,
            Optional<GuestCheck> check) {
        Report report = new Report("source").ended(outcome).begun(begin);
        ObjectNode json = report.json;
        json.put("totalMs", Rounds.millis(figures.totalNanos()));
        json.put("downtimeMs", Rounds.millis(figures.downtimeNanos()));
        ObjectNode parts = json.putObject("downtime");
        for (Part part : Part.values()) {
            parts.put(part.label(), Rounds.millis(figures.part(part)));
        }
        figures.prediction().ifPresent(p -> json.putObject("predictedDowntimeMs")
                .put("p50", Rounds.millis(p.p50Nanos())).put("p95", Rounds.millis(p.p95Nanos())));
        json.set("rounds", Rounds.json(figures.allRounds()));
        figures.stopReason().ifPresent(reason -> json.put("stopReason", reason.label()));
        json.putObject("guestSlowdown").put("percent", Rounds.tenths(figures.slowdownPercent()))
                .put("stolenMs", Rounds.millis(figures.stolenNanos()))
                .put("maxThrottlePercent", Rounds.tenths(figures.maxThrottlePercent()));
        report.traffic(figures.guestBytes(), figures.wireBytes(), figures.totalNanos());
        json.put("reconnects", figures.reconnects()).put("resentBytes", figures.resentBytes());
        json.put("deviceStateBytes", figures.deviceStateBytes());
        report.verification(begin.choices().verify(), figures.verifiedPages(),
                figures.digestsCompared(),
                new long[] {figures.sourceDigest(), figures.targetDigest()});
        return report.checked(check).owner(figures.owner(), figures.epoch());
    }

    /**
     * Makes the target's report.
     *
     * @param begin   what is known from the beginning
     * @param outcome how it ended
     * @param figures what was measured
     * @param check   the guest's own, if it has one
     * @return the report
     */
    public static Report ofTarget(Begin begin, Outcome outcome, TargetFigures figures,
            Optional<GuestCheck> check) {
        Report report = new Report("target").ended(outcome).begun(begin);
        ObjectNode json = report.json;
        json.put("totalMs", Rounds.millis(figures.totalNanos()));
        json.put("downtimeMs", Rounds.millis(figures.downtimeNanos()));
        json.putObject("downtime")
                .put(Part.STATE_LOAD.label(), Rounds.millis(figures.loadNanos()))
                .put(Part.VERIFY.label(), Rounds.millis(figures.walkNanos()))
                .put(Part.RESUME.label(), Rounds.millis(figures.resumeNanos()));
        json.putArray("rounds");
        long pages = figures.pagesBy(PageCodec.ZERO) + figures.pagesBy(PageCodec.RAW)
                + figures.pagesBy(PageCodec.LZ4);
        report.traffic(PageGeometry.bytesOf(pages), figures.wireBytes(), figures.totalNanos());
        json.put("deviceStateBytes", figures.deviceStateBytes());
        report.verification(begin.choices().verify(), begin.guest().regions().pageCount(),
                figures.digestsCompared(),
                new long[] {figures.sourceDigest(), figures.targetDigest()});
        return report.checked(check).owner(figures.owner(), figures.epoch());
    }

    /** {@return the object, the report's own} */
    public ObjectNode json() {
        return json;
    }

    /**
     * Joins what a guest found out at both sides.
     *
     * @param check of both sides
     * @return this
     */
    public Report checked(Optional<GuestCheck> check) {
        check.ifPresent(found -> json.putObject("guestCheck")
                .put("ticksSource", found.ticksSource()).put("ticksTarget", found.ticksTarget())
                .put("lostTicks", found.lostTicks()).put("failures", found.failures()));
        return this;
    }

    /**
     * Adds what became of copied disks.
     *
     * @param copied nothing where none was asked for
     * @return this
     */
    public Report copied(Optional<DiskCopies> copied) {
        copied.ifPresent(disks -> {
            ObjectNode storage = json.putObject("storage").put("bytes", disks.wireBytes())
                    .put("durationMs", Rounds.millis(disks.nanos()));
            ArrayNode drives = storage.putArray("drives");
            disks.disks().forEach(disk -> drives.addObject().put("name", disk.name())
                    .put("size", disk.size()).put("copiedBytes", disk.bytes()));
        });
        return this;
    }

    /**
     * Notes what slowed the guest down.
     *
     * @param throttle its name
     */
    public void throttledBy(String throttle) {
        if (json.path("guestSlowdown") instanceof ObjectNode slowdown) {
            slowdown.put("by", throttle);
        }
    }

    private Report ended(Outcome outcome) {
        json.put("result", word(outcome));
        if (outcome.result() != Outcome.Result.COMPLETED) {
            json.putObject("error")
                    .put("code", outcome.code().name().toLowerCase(Locale.ROOT).replace('_', '-'))
                    .put("reason", outcome.reason())
                    .put("side", outcome.side().name().toLowerCase(Locale.ROOT))
                    .put("remedy", outcome.remedy());
        }
        return this;
    }

    private Report begun(Begin begin) {
        json.put("migrationId", begin.migrationId().toString());
        GuestDescription guest = begin.guest();
        ObjectNode node = json.putObject("guest").put("kind", guest.kind())
                .put("name", guest.name()).put("memoryBytes", guest.regions().totalBytes())
                .put("pageSize", PageGeometry.PAGE_SIZE);
        ArrayNode regions = node.putArray("regions");
        for (Region region : guest.regions().regions()) {
            regions.addObject().put("name", region.name()).put("guestBase", region.guestBase())
                    .put("size", region.size()).put("granule", region.granule());
        }
        Choices choices = begin.choices();
        json.put("policy", choices.policy()).put("tracker", choices.tracker())
                .put("channels", choices.channels()).put("codec", choices.codec())
                .put("transport", choices.transport()).put("tls", false);
        json.put("startupMs", Rounds.millis(begin.startupNanos()));
        json.putObject("guestSlowdown").put("percent", 0).put("stolenMs", 0)
                .put("maxThrottlePercent", 0);
        json.put("reconnects", 0).put("resentBytes", 0);
        return this;
    }

    private void traffic(long guestBytes, long wireBytes, long totalNanos) {
        json.put("guestBytes", guestBytes).put("wireBytes", wireBytes);
        json.put("goodputBytesPerSecond",
                totalNanos == 0 ? 0 : Math.round(guestBytes * 1e9 / totalNanos));
    }

    private void verification(String method, long pages, boolean compared, long[] digests) {
        ObjectNode node = json.putObject("verification").put("method", method);
        boolean known = compared && !method.equals("none");
        node.put("pages", known ? pages : 0);
        node.put("sourceDigest", known ? hex(digests[0]) : null);
        node.put("targetDigest", known ? hex(digests[1]) : null);
        node.put("match", known ? digests[0] == digests[1] : null);
    }

    private Report owner(String side, long epoch) {
        json.putObject("owner").put("side", side).put("epoch", epoch);
        return this;
    }

    private static String hex(long digest) {
        return String.format("%016x", digest);
    }

    /** The report's word for how it ended. */
    private static String word(Outcome outcome) {
        return switch (outcome.result()) {
            case COMPLETED -> "completed";
            case REFUSED -> "refused";
            case FAILED, FAILED_AT_TARGET, BUG -> "failed";
            case IN_DOUBT -> "in-doubt";
            case CANCELLED -> "cancelled";
            case GUEST_ENDED -> "guest-ended";
        };
    }

    /**
     * Tells the report to a person.
     *
     * @return lines
     */
    public List<String> lines() {
        return ReportText.of(json);
    }
}
