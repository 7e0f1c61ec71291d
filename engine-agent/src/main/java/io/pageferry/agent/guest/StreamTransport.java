package io.pageferry.agent.guest;

import io.pageferry.core.link.Message;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * The way that streams of bytes take beside the messages and pages of a migration. Any thread.
 *
 * @param sender   sends a part; false when there is no room now, or the link is lost
 * @param receiver is told who takes what comes, in order, on an IO thread and without waiting
 * @param up       tells whether the link still stands
 * @param silence  tells for how many nanoseconds nothing was heard of the peer, heartbeats included
 */
public record StreamTransport(Predicate<Message.Streamed> sender,
        Consumer<Consumer<Message.Streamed>> receiver, BooleanSupplier up,
        LongSupplier silence) {
    /**
     * A disk that was copied, or is being copied.
     *
     * @param name  as both sides call it
     * @param size  bytes that the guest sees
     * @param bytes what was sent of it so far, what was written meanwhile among it
     * @param left  bytes that are still to be sent
     */
    public record Disk(String name, long size, long bytes, long left) { }

    /**
     * What became of the disks.
     *
     * @param disks     each
     * @param wireBytes bytes in the streams, towards the target
     * @param nanos     from the first byte to the moment when all were equal
     */
    public record Copied(List<Disk> disks, long wireBytes, long nanos) {
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

    /**
     * Sends.
     *
     * @param message a part of a stream
     * @return false when there is no room now, or the link is lost: nothing was sent
     */
    public boolean send(Message.Streamed message) {
        return sender.test(message);
    }

    /**
     * Says who takes what comes.
     *
     * @param taker takes the parts in order, on an IO thread, without waiting
     */
    public void receive(Consumer<Message.Streamed> taker) {
        receiver.accept(taker);
    }

    /** {@return for how many nanoseconds nothing was heard of the peer, heartbeats included} */
    public long silentNanos() {
        return silence.getAsLong();
    }

    /** {@return whether the link still stands} */
    public boolean isUp() {
        return up.getAsBoolean();
    }
}
