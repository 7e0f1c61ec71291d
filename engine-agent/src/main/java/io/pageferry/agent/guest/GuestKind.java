package io.pageferry.agent.guest;

import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import io.pageferry.core.words.Labelled;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A kind of guest, found by the scheme of its URI through {@link java.util.ServiceLoader}: an
 * embedder adds one by naming it in {@code META-INF/services}.
 */
public interface GuestKind {
    /** Key that an agent adds to a recovery address where it may have slowed the guest down. */
    String THROTTLED = "throttled";

    /**
     * Key in a recovery address of the guest's place on this host, where another guest may come
     * while this one leaves: one that comes there has the same. Such a guest is locked by it too.
     */
    String PLACE = "place";

    /**
     * Names the kind.
     *
     * @return its scheme, lower case
     */
    String scheme();

    /**
     * Opens a guest at the source. Changes nothing in it yet.
     *
     * @param uri   the guest
     * @param setup options of the command line
     * @return the guest
     * @throws GuestException           when it cannot be moved, with the remedy
     * @throws IllegalArgumentException when the URI makes no sense for this kind
     */
    SourceGuest openSource(GuestUri uri, GuestSetup setup) throws GuestException;

    /**
     * Opens a guest at the source for several copies of it, to as many targets, that are read from
     * it once. It stays the source's whatever becomes of them.
     *
     * @param uri    the guest
     * @param setup  options of the command line
     * @param copies how many
     * @return the guest for each copy, for a thread each; the last that is closed closes it
     * @throws GuestException           when it cannot be copied, with the remedy
     * @throws IllegalArgumentException when the URI makes no sense, or a guest of this kind runs in
     *                                  one place alone
     */
    default List<SourceGuest> openCopies(GuestUri uri, GuestSetup setup, int copies)
            throws GuestException {
        throw new IllegalArgumentException("a " + scheme() + ": guest runs in one place alone: name"
                + " one target");
    }

    /**
     * Opens what is to become a guest at the target. Changes nothing yet, but for memory made
     * resident where the setup asks for that.
     *
     * @param uri   the guest
     * @param setup options of the command line
     * @return the guest to be
     * @throws GuestException           when it cannot take a guest, with the remedy
     * @throws IllegalArgumentException when the URI makes no sense for this kind
     */
    TargetGuest openTarget(GuestUri uri, GuestSetup setup) throws GuestException;

    /**
     * Reaches a guest whose agent is gone.
     *
     * @param recoveryAddress what {@link SourceGuest#recoveryAddress} or {@link
     * TargetGuest#recoveryAddress} gave
     * @return a handle, also when the guest's process ended; empty for a kind that lives and dies
     *         with its agent
     * @throws GuestException when the guest is there but cannot be reached
     */
    default Optional<GuestHandle> handle(Map<String, String> recoveryAddress)
            throws GuestException {
        return Optional.empty();
    }

    /**
     * Returns whether a guest at the source lives on when its agent dies, so that a guard has to
     * watch over it.
     *
     * @return false for a kind that lives and dies with its agent
     */
    default boolean outlivesAgent() {
        return false;
    }

    /**
     * Runs the code that acts on a guest of this kind, without any guest: what is run for the
     * first time while a guest is paused costs several times as long. Takes half a second at most;
     * a failure is thrown away by the caller.
     *
     * @throws java.io.IOException when the host does not let it
     */
    default void warmUp() throws java.io.IOException {
    }

    /**
     * Returns what may become of a guest at the source after a move, as {@code --after} names it.
     *
     * @return one or more, the default first; with {@link After#KEEP} it stays paused, with
     *         everything else {@link SourceGuest#end} is called
     */
    default List<After> afterwards() {
        return List.of(After.QUIT, After.KEEP);
    }

    /**
     * Looks for what only the operator of this host may say of a guest, and no caller of an agent:
     * files, other programs, and what becomes of the guest's definition.
     *
     * @param uri the guest
     * @return the first parameter that has to be left out; empty where a caller may say it all
     */
    default Optional<String> operatorsOwn(GuestUri uri) {
        return Optional.empty();
    }

    /**
     * Returns where a source keeps its journals of guests of this kind where no other folder is
     * named.
     *
     * @return empty for the user's state home
     */
    default Optional<Path> stateDirectory() {
        return Optional.empty();
    }

    /**
     * Returns whether a guest does not run while it is moved: no limit of a downtime holds then, as
     * there is none.
     *
     * @param uri the guest
     * @return false: it runs
     */
    default boolean standsStill(GuestUri uri) {
        return false;
    }

    /**
     * Says what a target of a guest must be started with, exactly, for {@code receive --start}.
     * Changes nothing.
     *
     * @param uri the guest
     * @return what has to be started
     * @throws GuestException           when it cannot be said
     * @throws IllegalArgumentException where a target needs nothing of the kind
     */
    default StartDescription describe(GuestUri uri) throws GuestException {
        throw new IllegalArgumentException("a " + scheme() + ": guest needs no description: receive"
                + " makes a target for it");
    }

    /** Whether something lets a guest move. */
    enum Verdict implements Labelled {
        /** It lets the guest move. */
        OK,
        /** Only where contents are compared, by {@code --tracker scan}. */
        SCAN_ONLY,
        /** It does not. */
        REFUSED
    }

    /**
     * One row of what {@link #inspect} finds.
     *
     * @param what    which part of the guest or its host
     * @param verdict on it
     * @param found   what is there
     * @param why     what would go wrong, empty where it is ok
     * @param remedy  what to do, empty where it is ok
     */
    record Finding(String what, Verdict verdict, String found, String why, String remedy) { }

    /**
     * Returns what can move a guest and what stands in the way. Changes nothing.
     *
     * @param uri the guest
     * @return one row each
     * @throws GuestException when the guest cannot be looked at
     */
    List<Finding> inspect(GuestUri uri) throws GuestException;
}
