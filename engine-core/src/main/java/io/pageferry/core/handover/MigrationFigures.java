package io.pageferry.core.handover;

import io.pageferry.core.precopy.DowntimePrediction;
import io.pageferry.core.round.LimitChange;
import io.pageferry.core.round.RoundStats;
import io.pageferry.core.round.StopReason;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a migration measured; the report is made from it. Filled by the migration's thread, read by
 * others only after the migration ended. Durations in nanoseconds.
 */
public final class MigrationFigures {
    /** A throttle holds a guest in turns: what a shorter round measures of it is chance. */
    private static final long TELLING_NANOS = 100_000_000L;

    /** The parts of the downtime; they may overlap. */
    public enum Part {
        /** From the request to pause until the guest stood. */
        PAUSE("pauseMs"),
        /** The last scans of dirty pages and holes. */
        SCAN("scanMs"),
        /** Saving the device state. */
        STATE_SAVE("stateSaveMs"),
        /** From the first of the last pages until all were applied. */
        LAST_PAGES("lastPagesMs"),
        /** Loading the device state. */
        STATE_LOAD("stateLoadMs"),
        /** Reading the last pages back. */
        VERIFY("verifyMs"),
        /** Journals and messages from READY to the target's resume. */
        HANDOVER("handoverMs"),
        /** Resuming at the target. */
        RESUME("resumeMs");

        private final String word;

        Part(String word) {
            this.word = word;
        }

        /** {@return its field in the report} */
        public String label() {
            return word;
        }
    }

    private final List<RoundStats> rounds = new ArrayList<>();
    private final List<RoundStats> allRounds = new ArrayList<>();
    private long wireBytes;
    private final Map<Part, Long> parts = new EnumMap<>(Part.class);
    private int reconnects;
    private long resentBytes;
    private long totalNanos;
    private long downtimeNanos;
    private DowntimePrediction prediction;
    private StopReason stopReason;
    private long deviceStateBytes;
    private long sourceDigest;
    private long targetDigest;
    private boolean digestsCompared;
    private long verifiedPages;
    private Optional<Audit> audit = Optional.empty();
    private String targetAccess;
    private long epoch;
    private Owner owner = Owner.SOURCE;
    private long stolenNanos;
    private long throttledNanos;
    private int maxThrottlePercent;

    private final List<LimitChange> limitChanges = new ArrayList<>();

    /** Makes empty figures. */
    public MigrationFigures() {
    }

    /**
     * Adds a finished round.
     *
     * @param round what it did
     */
    public void add(RoundStats round) {
        rounds.add(round);
        interrupted(round);
    }

    /**
     * Adds a round whose link was lost in the middle: it counts as traffic, but nothing is
     * concluded from it.
     *
     * @param round what it did
     */
    public void interrupted(RoundStats round) {
        allRounds.add(round);
        wireBytes += round.wireBytes();
    }

    /**
     * Notes that a lost link was replaced.
     *
     * @param inVain bytes on the wire of batches that were never acknowledged
     */
    public void reconnected(long inVain) {
        reconnects++;
        resentBytes += inVain;
    }

    /**
     * Notes that a limit was changed.
     *
     * @param change of one
     */
    public void changed(LimitChange change) {
        limitChanges.add(change);
    }

    /** {@return the limits that were changed, in order} */
    public List<LimitChange> limitChanges() {
        return limitChanges;
    }

    /** Forgets the parts of a downtime that led to nothing: the guest went on here. */
    public void attemptFailed() {
        parts.clear();
        digestsCompared = false;
    }

    /**
     * Adds to a part of the downtime.
     *
     * @param part  which
     * @param nanos how long
     */
    public void add(Part part, long nanos) {
        parts.merge(part, nanos, Long::sum);
    }

    /**
     * Notes both digests.
     *
     * @param source of what was sent
     * @param target of what was read back
     * @param pages  how many pages they cover
     */
    public void digests(long source, long target, long pages) {
        sourceDigest = source;
        targetDigest = target;
        verifiedPages = pages;
        digestsCompared = true;
    }

    /**
     * Notes the decision to stop.
     *
     * @param reason   why
     * @param believed what was predicted then
     */
    public void stopped(StopReason reason, DowntimePrediction believed) {
        stopReason = reason;
        prediction = believed;
    }

    /**
     * Notes the end of the downtime.
     *
     * @param downtime from the request to pause to the target running
     * @param total    from the first byte of negotiation to the target running
     */
    public void times(long downtime, long total) {
        downtimeNanos = downtime;
        totalNanos = total;
    }

    /**
     * Notes the size of the device state.
     *
     * @param bytes its length
     */
    public void deviceState(long bytes) {
        deviceStateBytes = bytes;
    }

    /**
     * Notes what the throttle cost the guest.
     *
     * @param stolen     guest time taken, measured
     * @param lasted     from the begin of pre-copy until the throttle was lifted
     * @param maxPercent the strongest that was set
     */
    public void slowdown(long stolen, long lasted, int maxPercent) {
        stolenNanos = stolen;
        throttledNanos = lasted;
        maxThrottlePercent = maxPercent;
    }

    /** {@return nanoseconds of guest time that the throttle took, measured} */
    public long stolenNanos() {
        return stolenNanos;
    }

    /** {@return share of the guest's time taken over the move, 0 … 100} */
    public double slowdownPercent() {
        return throttledNanos == 0 ? 0 : 100.0 * stolenNanos / throttledNanos;
    }

    /** {@return the strongest throttle: as set, or as measured in a round where a quota held} */
    public double maxThrottlePercent() {
        return rounds.stream()
                .filter(round -> !round.stopAndCopy() && round.durationNanos() >= TELLING_NANOS)
                .mapToDouble(RoundStats::throttlePercent).reduce(maxThrottlePercent, Math::max);
    }

    /**
     * Notes which side owns the guest.
     *
     * @param side     the owner, as far as this side knows
     * @param newEpoch the attempt
     */
    public void owner(Owner side, long newEpoch) {
        owner = side;
        epoch = newEpoch;
    }

    /** {@return all rounds begun and ended, those that a lost link ended too, unmodifiable} */
    public List<RoundStats> allRounds() {
        return java.util.Collections.unmodifiableList(allRounds);
    }

    /** {@return how often a lost link was replaced} */
    public int reconnects() {
        return reconnects;
    }

    /** {@return bytes on the wire that had to be sent again after a link was lost} */
    public long resentBytes() {
        return resentBytes;
    }

    /** {@return the last finished round, or empty before the first} */
    public Optional<RoundStats> lastRound() {
        return rounds.isEmpty() ? Optional.empty() : Optional.of(rounds.getLast());
    }

    /** {@return finished rounds in order, unmodifiable} */
    public List<RoundStats> rounds() {
        return java.util.Collections.unmodifiableList(rounds);
    }

    /**
     * Reads a part of the downtime.
     *
     * @param part which
     * @return nanoseconds, 0 when it did not happen
     */
    public long part(Part part) {
        return parts.getOrDefault(part, 0L);
    }

    /** {@return from the first byte of negotiation to the target running, 0 when it never did} */
    public long totalNanos() {
        return totalNanos;
    }

    /** {@return from the request to pause to the target running, 0 when it never did} */
    public long downtimeNanos() {
        return downtimeNanos;
    }

    /** {@return what was believed when the decision to stop was taken} */
    public Optional<DowntimePrediction> prediction() {
        return Optional.ofNullable(prediction);
    }

    /** {@return why pre-copy ended} */
    public Optional<StopReason> stopReason() {
        return Optional.ofNullable(stopReason);
    }

    /** {@return bytes of device state} */
    public long deviceStateBytes() {
        return deviceStateBytes;
    }

    /** {@return digest of what was sent} */
    public long sourceDigest() {
        return sourceDigest;
    }

    /** {@return digest of what was read back} */
    public long targetDigest() {
        return targetDigest;
    }

    /** {@return whether both digests are known} */
    public boolean digestsCompared() {
        return digestsCompared;
    }

    /**
     * What the paused guest's memory came to, compared with the image.
     *
     * @param pages     compared; fewer than the guest has where the audit broke off
     * @param differing among them
     */
    public record Audit(long pages, long differing) { }

    /**
     * Notes what an audit found.
     *
     * @param pages     compared
     * @param differing among them
     */
    public void audited(long pages, long differing) {
        audit = Optional.of(new Audit(pages, differing));
    }

    /** {@return what an audit found, where there was one} */
    public Optional<Audit> audit() {
        return audit;
    }

    /**
     * Notes how the target reaches the memory.
     *
     * @param way as it said
     */
    public void targetAccess(String way) {
        targetAccess = way;
    }

    /** {@return how the target reaches the memory, once it said so} */
    public Optional<String> targetAccess() {
        return Optional.ofNullable(targetAccess);
    }

    /** {@return pages that the digests cover} */
    public long verifiedPages() {
        return verifiedPages;
    }

    /** {@return the last attempt, 0 before the first} */
    public long epoch() {
        return epoch;
    }

    /** {@return which side owns the guest as far as the source knows} */
    public Owner owner() {
        return owner;
    }

    /** {@return bytes of guest memory sent in all rounds} */
    public long guestBytes() {
        return allRounds.stream().mapToLong(RoundStats::guestBytes).sum();
    }

    /** {@return bytes of batches on the wire in all rounds} */
    public long wireBytes() {
        return wireBytes;
    }
}
