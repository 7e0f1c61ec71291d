package io.pageferry.core.incoming;

import io.pageferry.core.handover.Owner;
import io.pageferry.core.link.GuestDescription;
import java.util.Optional;
import java.util.UUID;

/**
 * What a target measured; its report is made from it. Durations in nanoseconds, 0 when it did not
 * happen.
 */
public final class TargetFigures {
    private UUID migrationId;
    private GuestDescription guest;
    private long epoch;
    private Owner owner = Owner.SOURCE;
    private long batches;
    private long wireBytes;
    private long[] pagesByCodec = new long[0];
    private long deviceStateBytes;
    private long walkNanos;
    private long loadNanos;
    private long resumeNanos;
    private long totalNanos;
    private long downtimeNanos;
    private long sourceDigest;
    private long targetDigest;
    private boolean compared;
    private boolean heard;
    private int verification;

    TargetFigures() {
    }

    void offered(Offer offer) {
        migrationId = offer.migrationId();
        guest = offer.guest();
        verification = offer.verification();
    }

    record Offer(UUID migrationId, GuestDescription guest, int verification) { }

    void batch(int bytes) {
        batches++;
        wireBytes += bytes;
    }

    void pages(long[] byCodec) {
        pagesByCodec = byCodec;
    }

    void digests(long source, long target) {
        sourceDigest = source;
        targetDigest = target;
        compared = true;
    }

    void loaded(long stateBytes, long walking, long loading) {
        deviceStateBytes = stateBytes;
        walkNanos = walking;
        loadNanos = loading;
    }

    void resumed(long nanos) {
        resumeNanos = nanos;
    }

    void times(long total, long downtime) {
        totalNanos = total;
        downtimeNanos = downtime;
        heard = true;
    }

    void givenUp() {
        heard = true;
    }

    void owner(Owner side, long of) {
        owner = side;
        epoch = of;
    }

    /** {@return what HELLO asked to be proved: 0 nothing, 1 what was sent, 2 the whole memory} */
    public int verification() {
        return verification;
    }

    /**
     * Tells whether the source asks no more how it ended.
     *
     * @return true once it said farewell, or gave the migration up itself before its grant
     */
    public boolean isHeard() {
        return heard;
    }

    /** {@return the migration, once it was offered} */
    public Optional<UUID> migrationId() {
        return Optional.ofNullable(migrationId);
    }

    /** {@return the guest, once it was offered} */
    public Optional<GuestDescription> guest() {
        return Optional.ofNullable(guest);
    }

    /** {@return the last attempt, 0 before the first} */
    public long epoch() {
        return epoch;
    }

    /** {@return who owns the guest as far as the target knows} */
    public Owner owner() {
        return owner;
    }

    /** {@return batches applied} */
    public long batches() {
        return batches;
    }

    /** {@return payload and descriptor bytes of these batches} */
    public long wireBytes() {
        return wireBytes;
    }

    /**
     * Counts pages.
     *
     * @param codec a codec id
     * @return pages that came by it
     */
    public long pagesBy(int codec) {
        return codec < pagesByCodec.length ? pagesByCodec[codec] : 0;
    }

    /** {@return bytes of device state loaded} */
    public long deviceStateBytes() {
        return deviceStateBytes;
    }

    /** {@return reading back the last pages} */
    public long walkNanos() {
        return walkNanos;
    }

    /** {@return loading the device state} */
    public long loadNanos() {
        return loadNanos;
    }

    /** {@return resuming the guest} */
    public long resumeNanos() {
        return resumeNanos;
    }

    /** {@return the whole migration, as the source said in its farewell} */
    public long totalNanos() {
        return totalNanos;
    }

    /** {@return the downtime, as the source said in its farewell} */
    public long downtimeNanos() {
        return downtimeNanos;
    }

    /** {@return digest of what was sent, as the source said} */
    public long sourceDigest() {
        return sourceDigest;
    }

    /** {@return digest of what was read back} */
    public long targetDigest() {
        return targetDigest;
    }

    /** {@return whether both digests are known} */
    public boolean digestsCompared() {
        return compared;
    }
}
