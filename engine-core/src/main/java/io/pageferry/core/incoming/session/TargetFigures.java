package io.pageferry.core.incoming.session;

import io.pageferry.core.handover.Owner;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.link.Message;
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
    private long pages;
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
    private String sourceAccess;

    /**
     * Notes what was offered.
     *
     * @param hello the offer
     */
    public void offered(Message.Hello hello) {
        migrationId = hello.migrationId();
        guest = hello.guest();
        verification = hello.verification();
    }

    /**
     * Counts a batch that is in the image.
     *
     * @param bytes of it on the wire
     */
    public void batch(int bytes) {
        batches++;
        wireBytes += bytes;
    }

    /**
     * Notes how many pages came.
     *
     * @param written each as often as it came
     */
    public void pages(long written) {
        pages = written;
    }

    /**
     * Notes what was compared.
     *
     * @param source digest of what was sent
     * @param target digest of what was read back
     */
    public void digests(long source, long target) {
        sourceDigest = source;
        targetDigest = target;
        compared = true;
    }

    /**
     * Notes that the guest is loaded.
     *
     * @param stateBytes length of its device state
     * @param walking    time to prove the image
     * @param loading    time to load the state
     */
    public void loaded(long stateBytes, long walking, long loading) {
        deviceStateBytes = stateBytes;
        walkNanos = walking;
        loadNanos = loading;
    }

    /**
     * Notes that the guest runs.
     *
     * @param nanos time to resume it
     */
    public void resumed(long nanos) {
        resumeNanos = nanos;
    }

    /**
     * Notes what the source measured; it asks no more.
     *
     * @param total    of the migration
     * @param downtime of the guest
     */
    public void times(long total, long downtime) {
        totalNanos = total;
        downtimeNanos = downtime;
        heard = true;
    }

    /** Notes that the source gave the migration up itself, and asks no more. */
    public void givenUp() {
        heard = true;
    }

    /**
     * Notes which side owns the guest.
     *
     * @param side the owner
     * @param of   the epoch
     */
    public void owner(Owner side, long of) {
        owner = side;
        epoch = of;
    }

    /**
     * Notes how the source reaches the memory.
     *
     * @param way as it said
     */
    public void sourceAccess(String way) {
        sourceAccess = way;
    }

    /** {@return how the source reaches the memory, once it said so} */
    public Optional<String> sourceAccess() {
        return Optional.ofNullable(sourceAccess);
    }

    /** {@return what HELLO asked to be proved: 0 nothing, 1 what was sent, 2 the whole memory} */
    public int verification() {
        return verification;
    }

    /**
     * Returns whether the source no longer asks how the migration ended.
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

    /** {@return which side owns the guest as far as the target knows} */
    public Owner owner() {
        return owner;
    }

    /** {@return batches applied} */
    public long batches() {
        return batches;
    }

    /** {@return payload and directory bytes of these batches} */
    public long wireBytes() {
        return wireBytes;
    }

    /** {@return pages that came, each as often as it did} */
    public long pages() {
        return pages;
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

    /** {@return the whole migration, as in the source's farewell} */
    public long totalNanos() {
        return totalNanos;
    }

    /** {@return the downtime, as in the source's farewell} */
    public long downtimeNanos() {
        return downtimeNanos;
    }

    /** {@return digest of what was sent, as sent by the source} */
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
