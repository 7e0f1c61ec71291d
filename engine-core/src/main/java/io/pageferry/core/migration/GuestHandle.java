package io.pageferry.core.migration;

/** A guest that outlives its agent, as a guard or {@code settle} holds it. */
public interface GuestHandle extends AutoCloseable {
    /** What such a guest can be found as. */
    enum Condition {
        /** It executes. */
        RUNNING,
        /** It is whole and stands still. */
        PAUSED,
        /** It waits for a state that never came. */
        WAITING,
        /** Its process ended. */
        GONE
    }

    /**
     * Looks at it.
     *
     * @return what it is now
     * @throws GuestException when it is there but does not answer
     */
    Condition condition() throws GuestException;

    /**
     * Undoes what slows it down, whichever side owns it, and also after its process has ended.
     * Doing it twice does no harm.
     *
     * @throws GuestException when something of that is left
     */
    default void unthrottle() throws GuestException {
        // Most kinds are slowed down inside their agent, or not at all.
    }

    /**
     * Lets it run.
     *
     * @throws GuestException when it could not; {@link GuestException#mayRetry} as everywhere
     */
    void resume() throws GuestException;

    /**
     * Called in place of {@link #resume} at a target for a guest that was paused before: it is this
     * host's and stays paused.
     *
     * @throws GuestException as of {@link #resume}
     */
    default void arrivePaused() throws GuestException {
        // Most guests are whole once they are loaded.
    }

    /**
     * Puts back what an agent changed in a guest that stays at the source, whether it runs or
     * not. Doing it twice does no harm.
     *
     * @throws GuestException when it could not; {@link GuestException#mayRetry} as everywhere
     */
    default void leave() throws GuestException {
        // Of most kinds an agent changes nothing that outlives it.
    }

    /**
     * Ends it for good, whether or not it answers. Does nothing where it has ended.
     *
     * @throws GuestException when it could not
     */
    void end() throws GuestException;

    /**
     * Undoes what an agent did before it loaded anything: a half-filled image goes, a QEMU that
     * waits for its state is left as it was found.
     *
     * @throws GuestException when it could not
     */
    void forget() throws GuestException;

    /** Lets go of it. */
    @Override
    void close();
}
