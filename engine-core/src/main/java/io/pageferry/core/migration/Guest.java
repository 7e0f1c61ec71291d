package io.pageferry.core.migration;

import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.round.WriteThrottle;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;

/**
 * A guest at the source: anything with memory that can be paused and whose remaining state can be
 * saved. All methods are called by the migration's one thread. Those that act on the guest may
 * take milliseconds, but must bound their own waiting (5 s at most).
 */
public interface Guest extends AutoCloseable {
    /**
     * Describes it for the target.
     *
     * @return kind, name, memory and what its kind compares
     */
    GuestDescription describe();

    /**
     * Gives its memory.
     *
     * @return the live memory, owned by the guest
     */
    PageSource memory();

    /**
     * Returns the tracker of its dirty pages.
     *
     * @return the tracker, owned by the guest, not yet started
     */
    DirtyTracker tracker();

    /**
     * Returns whether it runs now. A guest that was paused before stays paused at the target.
     *
     * @return true when it executes
     * @throws GuestException when that cannot be found out
     */
    boolean isRunning() throws GuestException;

    /**
     * Returns why it ended by itself, if it did. Asked every 50 ms as long as it runs here, also
     * while nothing but a last word to the target is outstanding.
     *
     * @return why, once it shut down, crashed or was killed
     */
    Optional<String> ended();

    /**
     * Checks that it still is what it was when it was described: nothing was plugged, nothing else
     * moves it or takes a snapshot. Asked now and then while it runs, and before it is paused;
     * takes a few milliseconds at most.
     *
     * @throws GuestException when it cannot be moved like this, with what to do;
     *                        {@link ErrorCode#GUEST_ENDED} where there is nothing left to move
     */
    default void requireUnchanged() throws GuestException {
        // Most kinds cannot change.
    }

    /**
     * Checks the same once more, and all else that was checked when the guest was opened and may
     * have changed since: what maps its memory, who else writes there, what it opened. Called once
     * in each switch-over, when all was sent and before the target hears so. What takes long may
     * begin with {@link #pause}, beside the last pages: each millisecond here is downtime.
     *
     * @throws GuestException when what was sent may be another memory than the guest's; it goes on
     *                        here
     */
    default void requireUnchangedPaused() throws GuestException {
        requireUnchanged();
    }

    /**
     * Makes sure that it still stands still and stays so, for however long, whatever becomes of
     * this process. Called once in each switch-over, directly before the grant is recorded: from
     * then on only {@link #resume} or {@link #end} may let it go on, by this process or by who
     * recovers the migration.
     *
     * @throws GuestException when it does not; nothing is granted, and it goes on here
     */
    default void keepPaused() throws GuestException {
        // Most kinds stand still until somebody lets them go on.
    }

    /**
     * Returns whether another process let it run after {@link #pause}. Asked all the time.
     *
     * @return true until it is paused again, or resumed by us
     */
    default boolean resumedExternally() {
        return false;
    }

    /**
     * Gives what slows its writes down.
     *
     * @return the throttle, owned by the guest, or empty where it has none
     */
    default Optional<WriteThrottle> throttle() {
        return Optional.empty();
    }

    /**
     * Returns how its memory is reached here, for the reports of both sides.
     *
     * @return one word, 1 … 32 bytes; empty where there is nothing to say
     */
    default Optional<String> memoryAccess() {
        return Optional.empty();
    }

    /**
     * Returns what the target must be able to do for it.
     *
     * @return bits of {@link io.pageferry.core.link.Message.Hello}, 0 for nothing special
     */
    default long features() {
        return 0;
    }

    /**
     * Has copied what takes long and is not memory: disks. Called again and again from the
     * target's yes on, until it is true; then the rounds begin. What is written meanwhile and
     * afterwards follows by itself, and {@link #pause} ends that.
     *
     * @return true when there is nothing of that kind, or all of it is at the target
     * @throws GuestException when that is not possible; the guest runs on
     */
    default boolean storageReady() throws GuestException {
        return true;
    }

    /**
     * Has done what takes long and makes {@link #pause} short: what is dirty in caches is written,
     * while the guest runs. Called again and again once the rounds could end, until it is true;
     * where it was not at once, one more round follows, of what that wrote. It stays true until
     * the guest was paused. Not called where the guest is paused before the first round.
     *
     * @return true when there is nothing of that kind, or it is done
     * @throws GuestException when it cannot be done; the guest runs on
     */
    default boolean readyToPause() throws GuestException {
        return true;
    }

    /**
     * Stops every writer. When it returns, no byte of the memory changes any more, but for what
     * {@link #saveState} itself does.
     *
     * @throws GuestException when it could not; the guest may run or not
     */
    void pause() throws GuestException;

    /**
     * Writes the device state of the paused guest. May change its memory.
     *
     * @param out receives it; not closed here
     * @throws IOException when it could not
     */
    void saveState(OutputStream out) throws IOException;

    /**
     * Lets the paused guest run again, also after its state was saved. Without effect on one that
     * runs.
     *
     * @throws GuestException when it could not; {@link GuestException#mayRetry} shows whether to
     *                        try again
     */
    void resume() throws GuestException;

    /**
     * Ends the paused guest for good, in the way of its kind: another host owns it now.
     *
     * @throws GuestException when it could not
     */
    void end() throws GuestException;

    /** Lets go of the guest, which stays as it is. Idempotent. */
    @Override
    void close();
}
