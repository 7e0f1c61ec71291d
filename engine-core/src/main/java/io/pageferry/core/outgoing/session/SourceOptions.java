package io.pageferry.core.outgoing.session;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.link.SlotName;
import io.pageferry.core.migration.Verification;
import io.pageferry.core.precopy.DowntimePrediction;
import io.pageferry.core.round.MigrationLimits;

/**
 * How one migration is to go. Durations in nanoseconds. Made from {@link #defaults}.
 *
 * @param limits             of rounds and times
 * @param codec              codecs that may be used
 * @param deltaCacheBytes    most bytes of sent pages to keep, so that what changed can be sent; 0
 *                           for none
 * @param channels           data channels to ask for
 * @param verification       how the image is proved before the grant
 * @param cold               whether the guest is paused before the first page is sent: no rounds
 * @param negotiationNanos   longest wait for the target's yes and for the channels
 * @param settleNanos        longest wait for word after a grant, or for a lock
 * @param reconnectNanos     how long a lost link is tried again before the grant, 0 for not at all
 * @param endGuest           whether the guest here is ended after the move; else it stays paused
 * @param audit              whether the paused guest's memory is compared with the image after the
 *                           handover, at no downtime
 * @param handoverCost       believed fixed cost of a switch-over of this kind of guest
 * @param wording            names limits and remedies
 * @param slot               place at the target, by its name; empty for whichever is free
 */
public record SourceOptions(
        MigrationLimits limits,
        CodecChoice codec,
        long deltaCacheBytes,
        int channels,
        Verification verification,
        boolean cold,
        long negotiationNanos,
        long settleNanos,
        long reconnectNanos,
        boolean endGuest,
        boolean audit,
        DowntimePrediction.Fixed handoverCost,
        Wording wording,
        String slot) {
    /** As much as a guest of which 131072 pages are written again and again can use: 512 MiB. */
    private static final long DELTA_CACHE = 512L << 20;

    /** {@return defaults of the commands: 10 s to negotiate, 30 s to settle and to reconnect} */
    public static SourceOptions defaults() {
        return new SourceOptions(MigrationLimits.defaults(), CodecChoice.ADAPTIVE, DELTA_CACHE, 1,
                Verification.SENT, false, 10_000_000_000L, 30_000_000_000L, 30_000_000_000L, true,
                false, new DowntimePrediction.Fixed(20_000_000L, 60_000_000L), Wording.labels(),
                "");
    }

    /**
     * Bounds rounds and times.
     *
     * @param bounds the limits
     * @return a copy with them
     */
    public SourceOptions withLimits(MigrationLimits bounds) {
        return new SourceOptions(bounds, codec, deltaCacheBytes, channels, verification, cold,
                negotiationNanos, settleNanos, reconnectNanos, endGuest, audit, handoverCost,
                wording, slot);
    }

    /**
     * Chooses how pages are written.
     *
     * @param choice    codecs that may be used
     * @param mostLinks data channels to ask for
     * @return the changed copy
     */
    public SourceOptions withPages(CodecChoice choice, int mostLinks) {
        return new SourceOptions(limits, choice, deltaCacheBytes, mostLinks, verification, cold,
                negotiationNanos, settleNanos, reconnectNanos, endGuest, audit, handoverCost,
                wording, slot);
    }

    /**
     * Bounds what is kept of sent pages.
     *
     * @param bytes most of them; 0 for none
     * @return the changed copy
     */
    public SourceOptions withDeltaCache(long bytes) {
        return new SourceOptions(limits, codec, bytes, channels, verification, cold,
                negotiationNanos, settleNanos, reconnectNanos, endGuest, audit, handoverCost,
                wording, slot);
    }

    /**
     * Chooses how the image is proved.
     *
     * @param how the proof
     * @return the changed copy
     */
    public SourceOptions withVerification(Verification how) {
        return new SourceOptions(limits, codec, deltaCacheBytes, channels, how, cold,
                negotiationNanos, settleNanos, reconnectNanos, endGuest, audit, handoverCost,
                wording, slot);
    }

    /**
     * Pauses the guest first; a lost link is not tried again then, for the guest would wait.
     *
     * @return the changed copy
     */
    public SourceOptions paused() {
        return new SourceOptions(limits, codec, deltaCacheBytes, channels, verification, true,
                negotiationNanos, settleNanos, 0, endGuest, audit, handoverCost, wording,
                slot);
    }

    /**
     * Bounds the waiting for a lost link, and for the target's word after a grant.
     *
     * @param reconnect how long a link is tried again
     * @param settle    how long the target is asked
     * @return the changed copy
     */
    public SourceOptions withWindows(long reconnect, long settle) {
        return new SourceOptions(limits, codec, deltaCacheBytes, channels, verification, cold,
                negotiationNanos, settle, reconnect, endGuest, audit, handoverCost, wording,
                slot);
    }

    /**
     * Chooses what becomes of the guest here.
     *
     * @param ended whether it is ended after the move
     * @return the changed copy
     */
    public SourceOptions withEndGuest(boolean ended) {
        return new SourceOptions(limits, codec, deltaCacheBytes, channels, verification, cold,
                negotiationNanos, settleNanos, reconnectNanos, ended, audit, handoverCost, wording,
                slot);
    }

    /**
     * Chooses whether the memory is compared once more after the handover.
     *
     * @param compared whether it is
     * @return the changed copy
     */
    public SourceOptions withAudit(boolean compared) {
        return new SourceOptions(limits, codec, deltaCacheBytes, channels, verification, cold,
                negotiationNanos, settleNanos, reconnectNanos, endGuest, compared, handoverCost,
                wording, slot);
    }

    /**
     * Chooses the words for limits and remedies.
     *
     * @param words names them
     * @return a copy that uses them
     */
    public SourceOptions withWording(Wording words) {
        return new SourceOptions(limits, codec, deltaCacheBytes, channels, verification, cold,
                negotiationNanos, settleNanos, reconnectNanos, endGuest, audit, handoverCost,
                words, slot);
    }

    /**
     * Names the place at the target.
     *
     * @param name of a slot there, see {@link SlotName}; empty for whichever is free
     * @return the changed copy
     * @throws IllegalArgumentException when it can be no name
     */
    public SourceOptions withSlot(String name) {
        return new SourceOptions(limits, codec, deltaCacheBytes, channels, verification, cold,
                negotiationNanos, settleNanos, reconnectNanos, endGuest, audit, handoverCost,
                wording, name.isEmpty() ? name : SlotName.require(name));
    }
}
