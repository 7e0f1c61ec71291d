package io.pageferry.core.incoming.session;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageDecodeException;
import io.pageferry.core.image.ImageWalker;
import io.pageferry.core.image.ImageWriter;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.IncomingGuest;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;

/** Fills the image: applies batches, keeps barriers, reads back. */
public final class Receiver implements AutoCloseable {
    /** Pages read back in one turn: half a millisecond, so that batches are not kept waiting. */
    private static final int WALK_A_TURN = 1024;

    private final ImageWriter writer;
    private final ImageWalker walker;
    private final PageStore image;
    private final RegionTable regions;
    private final boolean verify;
    private final boolean full;
    private final long[] applied;
    private final long[] latest = new long[PageBatch.MAX_PAGES];
    private int latestCount;
    private Message.RoundEnd barrier;
    private long walkingRound = -1;
    private long walkedRound = -1;

    /**
     * Begins with an image.
     *
     * @param image    to be filled
     * @param promised to the source: channels that fill it, features, the verification of HELLO
     *                 (0 none, 1 of what was sent, 2 in full)
     */
    public Receiver(PageStore image, Reservation promised) {
        int verification = promised.offered().verification();
        this.writer = new ImageWriter(image, promised.features());
        this.walker = new ImageWalker(image, writer);
        this.image = image;
        this.regions = image.regions();
        this.applied = new long[promised.channels()];
        this.verify = verification != 0;
        this.full = verification == 2;
    }

    /**
     * Writes a batch into the image.
     *
     * @param batch of pages
     * @throws PageDecodeException when it breaks a rule
     */
    public void apply(PageBatch batch) throws PageDecodeException {
        writer.apply(batch);
        applied[batch.channel()] = batch.sequence();
        latestCount = 0;
        while (latestCount < batch.count()) {
            latest[latestCount] = batch.descriptorAt(latestCount);
            latestCount++;
        }
    }

    /** Reads back what the last batch wrote; the batch may be gone by now. */
    public void readBack() {
        walker.readBack(latest, latestCount);
        latestCount = 0;
    }

    /**
     * Takes a barrier.
     *
     * @param end the message
     * @return what is wrong with it, or null
     */
    public String barrier(Message.RoundEnd end) {
        if (barrier != null || end.lastSequences().length != applied.length) {
            return "barrier of round " + end.round() + " out of turn";
        }
        barrier = end;
        return null;
    }

    /** Forgets the connections that were: sequences begin anew, their barrier never passes. */
    public void restart() {
        barrier = null;
        Arrays.fill(applied, 0);
        walker.nameAgain();
    }

    /**
     * Names the pages that the source has to send again, before it is notified that the barrier
     * passed: it begins no round until then.
     *
     * @param source is given the messages
     */
    public void nameOwed(Consumer<Message> source) {
        for (long[] pages = unnamed(); pages.length > 0; pages = unnamed()) {
            source.accept(new Message.PagesOwed(pages));
        }
    }

    private long[] unnamed() {
        return walker.takeUnnamed(Message.MAX_OWED_PAGES);
    }

    /** {@return what is wrong with a COMPLETE now, or null: no grant while a page is owed} */
    public String owedAtTheEnd() {
        return walker.owedPages() == 0 ? null
                : "COMPLETE while " + walker.owedPages() + " pages are to be sent again";
    }

    /** {@return how many channels fill it} */
    public int channels() {
        return applied.length;
    }

    /** {@return the layout} */
    public RegionTable regions() {
        return regions;
    }

    /**
     * Returns whether every batch up to these sequence numbers is in the image.
     *
     * @param sequences of each channel
     * @return true when they are
     */
    public boolean reached(long[] sequences) {
        if (sequences.length != applied.length) {
            return false;
        }
        for (int i = 0; i < applied.length; i++) {
            if (applied[i] < sequences[i]) {
                return false;
            }
        }
        return true;
    }

    /**
     * Passes the barrier when every batch before it is applied and read back. The owed pages must
     * be named before the source is notified that it passed.
     *
     * @return its round, or −1
     */
    public long passBarrier() {
        if (barrier == null || !reached(barrier.lastSequences())
                || !walker.proveWritten(WALK_A_TURN)) {
            return -1;
        }
        boolean first = walkingRound < 0;
        walkingRound = barrier.round();
        barrier = null;
        if (first) {
            queueUnwritten();
        }
        return walkingRound;
    }

    /** {@return whether a barrier waits for its batches} */
    public boolean barrierPending() {
        return barrier != null;
    }

    /**
     * Reads back some pages.
     *
     * @return how many
     */
    public int walk() {
        int read = walker.step(WALK_A_TURN);
        return read > 0 ? read : walker.catchUp(WALK_A_TURN);
    }

    /** {@return a round that was read back to its last page and not reported yet, or −1} */
    public long newlyWalked() {
        if (walkedRound < walkingRound && walker.isIdle()) {
            walkedRound = walkingRound;
            return walkedRound;
        }
        return -1;
    }

    /** Queues what is left to read back before the image may be believed. */
    public void beginProof() {
        if (full) {
            walker.proveAgain();
        }
        queueUnwritten();
    }

    /** {@return whether the image is proved at all} */
    public boolean verifies() {
        return verify;
    }

    /** {@return whether nothing is left to read back} */
    public boolean isReadBack() {
        return walker.isIdle() && walker.proveWritten(WALK_A_TURN);
    }

    /** {@return whether the image is where its guest will find it; asked once it is proved} */
    public boolean isFlushed() {
        return image.flush();
    }

    /** {@return whether a batch can be applied now} */
    public boolean hasRoom() {
        return image.hasRoom();
    }

    /** {@return what the image was read back as} */
    public ChecksumTable table() {
        return walker.table();
    }

    /**
     * Gives the guest the checksums of its image, where it was read back.
     *
     * @param guest of the image
     */
    public void tell(IncomingGuest guest) {
        if (verify) {
            guest.proved(table());
        }
    }

    /**
     * Answers with checksums.
     *
     * @param request what is asked for
     * @return the answer; empty where it asks for pages that are not there
     */
    public Optional<Message> answer(Message.PageChecksumsRequest request) {
        ChecksumTable table = table();
        if (request.firstPage() < 0 || request.count() < 1
                || request.firstPage() > table.pages() - request.count()) {
            return Optional.empty();
        }
        int[] crcs = new int[request.count()];
        for (int i = 0; i < crcs.length; i++) {
            crcs[i] = table.get(request.firstPage() + i);
        }
        return Optional.of(new Message.PageChecksums(request.firstPage(), crcs));
    }

    /** {@return pages written, each as often as it came} */
    public long pages() {
        return writer.pages();
    }

    private void queueUnwritten() {
        if (verify) {
            walker.proveUnwritten();
        } else {
            walker.cleanUnwritten();
        }
    }

    @Override
    public void close() {
        writer.close();
        walker.close();
    }
}
