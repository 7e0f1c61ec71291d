package io.pageferry.agent.report;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.guest.AfterResume;
import io.pageferry.agent.guest.DiskCopies;
import io.pageferry.agent.guest.GuestCheck;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.dirty.DrainedTracker;
import io.pageferry.core.handover.MigrationFigures;
import io.pageferry.core.handover.MigrationFigures.Part;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.incoming.session.TargetFigures;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.migration.Verification;
import io.pageferry.core.precopy.DowntimePrediction;
import io.pageferry.core.round.LimitChange;
import io.pageferry.core.round.MigrationLimits.Policy;
import io.pageferry.core.round.RoundStats;
import io.pageferry.core.round.StopReason;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * How a migration went for one side. Made once, from what was measured; JSON, text and the façade's
 * report are made from it. Immutable. Durations in nanoseconds.
 *
 * @param side    whose report it is
 * @param outcome how it ended
 * @param body    what was measured, empty where no migration began
 */
public record Report(Side side, Outcome outcome, Optional<Body> body) {
    /**
     * What was measured of a migration that began.
     *
     * @param begin    what is known from the beginning
     * @param times    how long it took
     * @param rounds   of the source, the stop-and-copy round last; none at a target
     * @param stop     why pre-copy ended, where it did
     * @param slowdown what a throttle cost, where it is known: at a source
     * @param traffic  what went over the link
     * @param proof    what verification found
     * @param owner    the owner of the guest as far as this side knows
     * @param epoch    the last attempt, 0 before the first
     * @param guest    what the guest and its disks reported
     * @param peer     how the other side reaches the memory, where it said so
     * @param changes  of limits while it ran; of the source
     */
    public record Body(Begin begin, Times times, List<RoundStats> rounds, Optional<StopReason> stop,
            Optional<Slowdown> slowdown, Traffic traffic, Proof proof, Owner owner, long epoch,
            OfGuest guest, Optional<String> peer, List<LimitChange> changes) {
        Body with(OfGuest told, Optional<Slowdown> slower) {
            return new Body(begin, times, rounds, stop, slower, traffic, proof, owner, epoch, told,
                    peer, changes);
        }
    }

    /**
     * What is known from the beginning.
     *
     * @param migrationId  names it
     * @param guest        what is moved
     * @param choices      of the command line
     * @param startupNanos start of the process to the first byte of negotiation
     */
    public record Begin(UUID migrationId, GuestDescription guest, Choices choices,
            long startupNanos) { }

    /**
     * What was chosen; empty what a target does not know.
     *
     * @param policy       how the decision to stop is taken
     * @param tracker      the tracker that ran
     * @param channels     data channels
     * @param codec        as asked for
     * @param transport    of the link
     * @param tls          whether it was encrypted, and both sides known by certificates
     * @param verification how the image is proved
     * @param access       how this side reaches the memory
     */
    public record Choices(Optional<Policy> policy, Optional<String> tracker, int channels,
            Optional<CodecChoice> codec, String transport, boolean tls,
            Verification verification, Optional<String> access) { }

    /**
     * How long it took.
     *
     * @param totalNanos    first byte of negotiation to target running, 0 where it never ran
     * @param downtimeNanos request to pause to target running, likewise
     * @param parts         of the downtime, those that this side knows
     * @param predicted     what was believed when the decision to stop was taken
     */
    public record Times(long totalNanos, long downtimeNanos, Map<Part, Long> parts,
            Optional<DowntimePrediction> predicted) { }

    /**
     * What the throttle cost the guest.
     *
     * @param percent     of its time over the move
     * @param stolenNanos measured
     * @param maxPercent  the strongest
     * @param by          the throttle's name, where one was asked for
     */
    public record Slowdown(double percent, long stolenNanos, double maxPercent,
            Optional<String> by) { }

    /**
     * What went over the link.
     *
     * @param guestBytes  of the guest's memory, each time they were sent
     * @param wireBytes   with headers
     * @param stateBytes  of device state
     * @param reconnects  lost links that were replaced
     * @param resentBytes on the wire, sent again for that
     */
    public record Traffic(long guestBytes, long wireBytes, long stateBytes, int reconnects,
            long resentBytes) { }

    /**
     * What verification found.
     *
     * @param method   as asked for
     * @param pages    that the digests cover
     * @param compared whether both digests are known
     * @param source   digest of what was sent
     * @param target   digest of what was read back
     * @param audit    what the source's memory came to, where it was compared after the handover
     */
    public record Proof(Verification method, long pages, boolean compared, long source,
            long target, Optional<MigrationFigures.Audit> audit) {
        /** {@return whether image and source are equal, empty where they were not compared} */
        public Optional<Boolean> match() {
            return compared && method.isAsked() ? Optional.of(source == target) : Optional.empty();
        }
    }

    /**
     * What the guest and its disks reported.
     *
     * @param check   the guest's own, if it has one
     * @param storage what became of copied disks, where some were copied
     * @param resumed how it fared since its resume, where that is known
     * @param drained what it cost to wait for its disks, where that was wanted
     * @param unread  what of its disks could not be read, where it was moved all the same
     */
    public record OfGuest(Optional<GuestCheck> check, Optional<DiskCopies> storage,
            Optional<AfterResume> resumed, Optional<DrainedTracker.Costs> drained,
            Optional<SourceGuest.Unread> unread) { }

    /**
     * Makes a report of a migration that never began.
     *
     * @param side    source or target
     * @param outcome how it ended
     * @return the report
     */
    public static Report ofNothing(Side side, Outcome outcome) {
        return new Report(side, outcome, Optional.empty());
    }

    /**
     * Makes the source's report.
     *
     * @param begin   what is known from the beginning
     * @param outcome how it ended
     * @param figures what was measured
     * @param guest   what the guest and its disks reported
     * @return the report
     */
    public static Report ofSource(Begin begin, Outcome outcome, MigrationFigures figures,
            OfGuest guest) {
        Map<Part, Long> parts = new EnumMap<>(Part.class);
        List.of(Part.values()).forEach(part -> parts.put(part, figures.part(part)));
        return new Report(Side.SOURCE, outcome, Optional.of(new Body(begin,
                new Times(figures.totalNanos(), figures.downtimeNanos(), parts,
                        figures.prediction()),
                List.copyOf(figures.allRounds()), figures.stopReason(),
                Optional.of(new Slowdown(figures.slowdownPercent(), figures.stolenNanos(),
                        figures.maxThrottlePercent(), Optional.empty())),
                new Traffic(figures.guestBytes(), figures.wireBytes(), figures.deviceStateBytes(),
                        figures.reconnects(), figures.resentBytes()),
                new Proof(begin.choices().verification(), figures.verifiedPages(),
                        figures.digestsCompared(), figures.sourceDigest(),
                        figures.targetDigest(), figures.audit()),
                figures.owner(), figures.epoch(), guest, figures.targetAccess(),
                List.copyOf(figures.limitChanges()))));
    }

    /**
     * Makes the target's report.
     *
     * @param begin   what is known from the beginning
     * @param outcome how it ended
     * @param figures what was measured
     * @param guest   what the guest reported
     * @return the report
     */
    public static Report ofTarget(Begin begin, Outcome outcome, TargetFigures figures,
            OfGuest guest) {
        Map<Part, Long> parts = new EnumMap<>(Map.of(Part.STATE_LOAD, figures.loadNanos(),
                Part.VERIFY, figures.walkNanos(), Part.RESUME, figures.resumeNanos()));
        long pages = figures.pages();
        return new Report(Side.TARGET, outcome, Optional.of(new Body(begin,
                new Times(figures.totalNanos(), figures.downtimeNanos(), parts, Optional.empty()),
                List.of(), Optional.empty(), Optional.empty(),
                new Traffic(PageGeometry.bytesOf(pages), figures.wireBytes(),
                        figures.deviceStateBytes(), 0, 0),
                new Proof(begin.choices().verification(), begin.guest().regions().pageCount(),
                        figures.digestsCompared(), figures.sourceDigest(),
                        figures.targetDigest(), Optional.empty()),
                figures.owner(), figures.epoch(), guest, figures.sourceAccess(), List.of())));
    }

    /**
     * Notes what slowed the guest down.
     *
     * @param throttle its name
     * @return the changed copy
     */
    public Report slowedBy(String throttle) {
        return new Report(side, outcome, body.map(all -> all.with(all.guest(),
                all.slowdown().map(cost -> new Slowdown(cost.percent(), cost.stolenNanos(),
                        cost.maxPercent(), Optional.of(throttle))))));
    }

    /** {@return the report as one object, {@code pageferry.report/1}, made anew} */
    public ObjectNode json() {
        return ReportJson.of(this);
    }

    /** {@return the report for people, line by line} */
    public List<String> lines() {
        return ReportText.of(json());
    }
}
