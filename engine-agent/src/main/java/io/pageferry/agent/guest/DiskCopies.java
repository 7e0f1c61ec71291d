package io.pageferry.agent.guest;

import java.util.List;
import java.util.Optional;

/**
 * How far the copies of a guest's disks are, or what became of them.
 *
 * @param disks     each
 * @param wireBytes bytes in the streams, towards the target
 * @param nanos     from the first byte to the moment when all were equal, 0 until then
 */
public record DiskCopies(List<Disk> disks, long wireBytes, long nanos) {
    /**
     * A disk that was copied, or is being copied.
     *
     * @param name  as both sides call it
     * @param size  bytes that the guest sees
     * @param bytes what was sent of it so far, what was written meanwhile among it
     * @param left  bytes that are still to be sent
     */
    public record Disk(String name, long size, long bytes, long left) { }

    /** {@return how far they are, one line, as long as they are not all equal yet} */
    public Optional<String> underWay() {
        if (nanos > 0) {
            return Optional.empty();
        }
        long sent = disks.stream().mapToLong(Disk::bytes).sum();
        long left = disks.stream().mapToLong(Disk::left).sum();
        return Optional.of("the disks are being copied: " + (sent >> 20) + " MiB are at the"
                + " target, " + (left >> 20) + " MiB are to be sent");
    }
}
