package io.pageferry.core.migration;

import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageStore;
import java.util.Optional;

/**
 * A guest at the target, from the offer to its first instruction. All methods are called by the
 * migration's one thread; those that act may take milliseconds, but bound their own waiting.
 */
public interface IncomingGuest extends AutoCloseable {
    /**
     * Checks whether the offered guest can live here: by comparing and counting alone. Nothing is
     * made, allocated or started, for nothing but words came yet.
     *
     * @param offered what the source sent about it, unchecked
     * @throws GuestException when it cannot: the source is refused, with the remedy
     */
    default void requireFits(GuestDescription offered) throws GuestException {
        // What does not fit is found by prepare.
    }

    /**
     * Makes room for the offered guest, when its first page came. Checks it too: what fitted may
     * fit no more.
     *
     * @param offered as above
     * @return the image to fill, owned by this guest
     * @throws GuestException when it cannot; nothing was changed then
     */
    PageStore prepare(GuestDescription offered) throws GuestException;

    /**
     * Returns how its image is reached here, for the reports of both sides. Asked once it was
     * prepared.
     *
     * @return one word, 1 … 32 bytes; empty where there is nothing to say
     */
    default Optional<String> memoryAccess() {
        return Optional.empty();
    }

    /**
     * Returns what it can do that a source may demand.
     *
     * @return bits of {@link io.pageferry.core.link.Message.Hello}, 0 for nothing special
     */
    default long features() {
        return 0;
    }

    /**
     * Says whether the regions of the offered guest may be disks.
     *
     * @return false: RAM only
     */
    default boolean takesDisks() {
        return false;
    }

    /**
     * Says whether the image that {@link #prepare} gives answers each read at once, never with
     * {@link io.pageferry.core.memory.PagedMemory#NOT_YET}. Only then is a page sent as what
     * changed of it: the target has to read what it was.
     *
     * @return true where that is certain
     */
    default boolean readsAtOnce() {
        return false;
    }

    /**
     * Called when the source pauses its guest: the state follows behind the last pages, unless the
     * link is lost or the source gives up, and then there may be another call. What a load needs
     * and {@link #discard} can undo may begin here, beside those pages. Returns at once.
     */
    default void stateComes() {
        // Most guests have nothing to make ready.
    }

    /**
     * Receives the checksums of the complete image, before {@link #loadState}; not called where
     * nothing is verified. While it runs the guest is paused.
     *
     * @param readBack CRC32C of every page; the migration's own, for reading during this call
     */
    default void proved(ChecksumTable readBack) {
        // Most guests need no record of their memory at the switch-over.
    }

    /**
     * Loads the device state. The image is complete and proved. The guest stays paused.
     *
     * @param state the bytes of {@link Guest#saveState}
     * @throws GuestException when it could not; the guest can never run here
     */
    void loadState(byte[] state) throws GuestException;

    /**
     * Lets the loaded guest run: its first instruction here.
     *
     * @throws GuestException when it did not run; {@link GuestException#neverRan} shows whether
     *                        that is certain
     */
    void resume() throws GuestException;

    /**
     * Called in place of {@link #resume} for a guest that was paused before: it is this host's and
     * stays paused.
     *
     * @throws GuestException as of {@link #resume}
     */
    default void arrivePaused() throws GuestException {
        // Most guests are whole once they are loaded.
    }

    /**
     * Returns whether another process let the loaded guest run before {@link #resume}, and pauses
     * it at once each time. Asked all the time until then.
     *
     * @return true from the first time on: what it did cannot be taken back
     */
    default boolean ranUnauthorised() {
        return false;
    }

    /**
     * Makes sure that the guest can never run here. Before the state was loaded whatever waited
     * for it is left as it was found; a loaded guest is ended.
     */
    void discard();

    /**
     * Does what {@link #discard} does, and throws where it could not: a loaded guest that may still
     * be there is not reported as refused.
     *
     * @throws GuestException when the loaded guest could not be ended
     */
    default void discardOrThrow() throws GuestException {
        discard();
    }

    /**
     * Returns why it ended by itself, if it did.
     *
     * @return why, once it ended or crashed
     */
    Optional<String> ended();

    /** Lets go of the guest, which stays as it is. Idempotent. */
    @Override
    void close();
}
