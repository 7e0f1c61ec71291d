package io.pageferry.agent.guest;

import io.pageferry.agent.guest.room.HostRoom;
import io.pageferry.agent.guest.room.RoomClaim;
import io.pageferry.core.dirty.TrackerChoice;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * The options of the command line that concern a guest.
 *
 * @param tracker  how its writes are to be found
 * @param prealloc whether a target makes its memory resident before it listens
 * @param injector injects into other processes: a guard's service, started when it is needed
 * @param after    what becomes of it at the source, one of {@link GuestKind#afterwards}
 * @param start    what a target is started from; null where it is there
 * @param pauseLimit how long a source waits for it to stand still
 * @param freezing   how what lies on a disk is frozen; null where nobody thaws for this process
 * @param room       of this host, for a target to be promised
 */
public record GuestSetup(TrackerChoice tracker, boolean prealloc, Injector injector,
        After after, Start start, Duration pauseLimit, Freezing freezing, RoomClaim room) {
    /** Of who was told none. */
    public static final Duration PAUSE_LIMIT = Duration.ofSeconds(10);

    /**
     * Makes the setup of a guest that is there.
     *
     * @param tracker  as above
     * @param prealloc as above
     * @param injector as above
     * @param after    as above
     */
    public GuestSetup(TrackerChoice tracker, boolean prealloc, Injector injector, After after) {
        this(tracker, prealloc, injector, after, null, PAUSE_LIMIT, null,
                new HostRoom().claim());
    }

    /**
     * Makes the setup of a guest that stays as it is, or of a target.
     *
     * @param tracker  as above
     * @param prealloc as above
     * @param injector as above
     */
    public GuestSetup(TrackerChoice tracker, boolean prealloc, Injector injector) {
        this(tracker, prealloc, injector, After.KEEP);
    }

    /**
     * How file systems are frozen for the end of a move.
     *
     * @param guard   what thaws them where this process is gone or takes too long
     * @param longest they may be frozen before they are granted
     * @param quiesce command that stops who writes, run before; null for none
     */
    public record Freezing(ThawGuard guard, Duration longest, String quiesce) { }

    /** Another process, which thaws what this one froze when it dies or takes too long. */
    public interface ThawGuard {
        /**
         * Has it hold file systems that are frozen from now on.
         *
         * @param mounts says which, and for how long; in place of what it held before
         * @throws IOException when it cannot; nothing may be frozen then
         */
        void holdFrozen(String mounts) throws IOException;

        /**
         * Has it thaw them no more: they are about to be granted, and from now on the migration's
         * journal says whose they are.
         *
         * @throws IOException when it is gone, or thawed them already; nothing may be granted
         */
        void keepFrozen() throws IOException;

        /**
         * Has it let go of them: they are thawed.
         *
         * @throws IOException when it cannot be told so
         */
        void releaseFrozen() throws IOException;
    }

    /**
     * Adds a command that stops who writes to a disk.
     *
     * @param command of the shell, or null for none
     * @return the same with it
     */
    public GuestSetup quiescedBy(String command) {
        return new GuestSetup(tracker, prealloc, injector, after, start, pauseLimit,
                freezing == null ? null
                        : new Freezing(freezing.guard(), freezing.longest(), command), room);
    }

    /**
     * What a target is started from.
     *
     * @param file     of this host's operator; never a peer's words
     * @param launcher starts it
     * @param unwanted returns whether it is not wanted any more; from any thread
     */
    public record Start(Path file, Launcher launcher, BooleanSupplier unwanted) { }

    /**
     * Starts a program that is to outlive this process once a guest is in it, and that must not
     * before: a guard's service, which is its parent and ends it where this process is gone.
     */
    public interface Launcher {
        /**
         * Starts the program of a folder. One at a time.
         *
         * @param folder of this process's user alone; says what is started
         * @return its process id
         * @throws IOException when it cannot be started, with the reason
         */
        long launch(Path folder) throws IOException;

        /** Notes that it has ended, or that a guest is in it: nobody ends it any more. */
        void release();
    }

    /** Takes a userfaultfd of another process. */
    @FunctionalInterface
    public interface Injector {
        /**
         * Makes a userfaultfd in a process and takes it.
         *
         * @param pid the process
         * @return a descriptor of this process, the caller's to close
         * @throws IOException when there is none, with the reason
         */
        int userfault(long pid) throws IOException;

        /**
         * Makes one for a process that may fork. A fork waits until it was read; where this
         * process does not read it in some seconds, because it hangs or was stopped, a guard
         * does: {@link #letForkGo}. Without a guard it waits.
         *
         * @param pid the process
         * @return a descriptor of this process, the caller's to close
         * @throws IOException when there is none, with the reason
         */
        default int userfaultOfForking(long pid) throws IOException {
            return userfault(pid);
        }

        /**
         * Returns whether a fork was let go that this process did not read.
         *
         * @return true from the first one on
         * @throws IOException when that cannot be told any more
         */
        default boolean letForkGo() throws IOException {
            return false;
        }

        /**
         * Holds a named pipe open as long as this agent lives, and after its death until what it
         * began is finished: who reads the pipe does not see its end when the agent is killed.
         * Without a guard it does.
         *
         * @param pipe its path
         * @throws IOException when it cannot be opened
         */
        default void holdOpen(Path pipe) throws IOException {
            // Nobody is there who would outlive this process.
        }
    }
}
