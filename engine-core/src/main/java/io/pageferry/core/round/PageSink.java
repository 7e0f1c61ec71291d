package io.pageferry.core.round;

import io.pageferry.core.codec.PageBatch;
import java.util.function.LongConsumer;

/**
 * Where a round puts its pages: slots are claimed, filled and committed. One thread calls it, the
 * source's own, but for the parts that {@link #lane} gives away. A full sink is a return value,
 * never a wait.
 *
 * <p>A committed batch is a debt until the target acknowledged it: the sink keeps the slot, so that
 * {@link #reclaim} can report which pages have to be sent again.
 */
public interface PageSink {
    /**
     * Says how many parts it can be filled by at once.
     *
     * @return 1 where one thread alone may fill it
     */
    default int lanes() {
        return 1;
    }

    /**
     * Gives a part of it away, to be filled by a thread of its own: what is claimed there is
     * committed or abandoned there. Once there are several, the whole is asked for its debt, its
     * sequences and its bytes, by the source's own thread, and nothing else is called there; {@link
     * #reclaim} is called for each part, while nobody fills it.
     *
     * @param index 0 … {@code of} − 1; asked for by any thread, and the same part each time
     * @param of    parts that there are, 1 … {@link #lanes}
     * @return the part; this sink where it is the only one
     */
    default PageSink lane(int index, int of) {
        if (of != 1) {
            throw new IllegalArgumentException(of + " lanes of a sink that has one");
        }
        return this;
    }

    /**
     * Takes a free slot.
     *
     * @return an empty batch, owned by the caller until {@link #commit} or {@link #abandon}, or
     *         null when no slot or no credit is left, or the link is lost
     */
    PageBatch claim();

    /**
     * Sends a claimed batch and takes it back. The sink stamps generation, channel and sequence.
     *
     * @param batch claimed here, with at least one page
     */
    void commit(PageBatch batch);

    /**
     * Gives a claimed batch back unsent.
     *
     * @param batch claimed here
     */
    void abandon(PageBatch batch);

    /**
     * Counts the debt.
     *
     * @return batches committed and not yet acknowledged as applied
     */
    int unacknowledged();

    /**
     * Says what a full sink waits for: whether, when the target last acknowledged something, more
     * had arrived there and waited to be applied. Then the target is slower than the link.
     *
     * @return false also where that is not known
     */
    default boolean isTargetBehind() {
        return false;
    }

    /**
     * Returns how far each channel was filled, for the barrier.
     *
     * @return per channel the sequence number of the last batch committed, 0 before the first;
     *         a fresh array
     */
    long[] lastSequences();

    /**
     * Counts what committed batches take on the wire.
     *
     * @return bytes with all headers, since this sink was made
     */
    long wireBytes();

    /**
     * Takes the debt back: hands out every page of every unacknowledged batch and frees the slots.
     * Only after the link was lost or closed.
     *
     * @param pages receives global page indexes, a page possibly more than once
     * @return bytes with all headers of the batches taken back: what was sent for nothing
     */
    long reclaim(LongConsumer pages);
}
