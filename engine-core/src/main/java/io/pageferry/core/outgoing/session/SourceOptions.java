package io.pageferry.core.outgoing.session;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.precopy.DowntimePrediction;
import io.pageferry.core.round.MigrationLimits;

/**
 * How one migration is to go. Durations in nanoseconds.
 *
 * @param limits             of rounds and times
 * @param codec              codecs that may be used
 * @param channels           data channels to ask for
 * @param verify             whether the image is proved before the grant ({@code sent})
 * @param negotiationNanos   longest wait for the target's yes and for the channels
 * @param settleNanos        longest wait for word after a grant, or for a lock
 * @param endGuest           whether the guest here is ended after the move; else it stays paused
 * @param handoverCost       believed fixed cost of a switch-over of this kind of guest
 * @param reconnectNanos     how long a lost link is tried again before the grant, 0 for not at all
 * @param extras             what is out of the ordinary
 */
public record SourceOptions(
        MigrationLimits limits,
        CodecChoice codec,
        int channels,
        boolean verify,
        long negotiationNanos,
        long settleNanos,
        boolean endGuest,
        DowntimePrediction.Fixed handoverCost,
        long reconnectNanos,
        Extras extras) {
    /**
     * What most migrations do without.
     *
     * @param cold the guest is paused before the first page is sent, and pre-copy has no rounds
     * @param full the digest is that of the paused guest's memory, read once more, instead of what
     *             was sent; only where {@link SourceOptions#verify}
     */
    public record Extras(boolean cold, boolean full) {
        /** Live, and proved by what was sent. */
        public static final Extras NONE = new Extras(false, false);
    }

    /** {@return how the image is proved, as HELLO says it: 0 not, 1 by what was sent, 2 in full} */
    public int verification() {
        return !verify ? 0 : extras.full() ? 2 : 1;
    }

    /**
     * Defaults of the commands: 10 s to negotiate, 30 s to settle and to reconnect, 20 and 60 ms
     * of fixed cost.
     */
    public static SourceOptions defaults() {
        return new SourceOptions(MigrationLimits.defaults(), CodecChoice.ADAPTIVE, 1, true,
                10_000_000_000L, 30_000_000_000L, true,
                new DowntimePrediction.Fixed(20_000_000L, 60_000_000L), 30_000_000_000L,
                Extras.NONE);
    }
}
