package io.pageferry.agent.session;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.link.Connector;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.outgoing.session.SourceOptions;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What {@code migrate}, or an embedder, asks for.
 *
 * @param guest          to move, and how it is reached
 * @param target         the way there
 * @param tracker        how the writes of the guest are to be found
 * @param options        of the migration
 * @param after          one of {@link io.pageferry.agent.guest.GuestKind#afterwards}
 * @param stateDirectory folder, or null for the user's
 * @param copyStorage    whether its disks are copied
 * @param lingerNanos    how long an embedded guest that stays here goes on running
 * @param slot           of the target that is to take the guest, by its name; empty for whichever
 *                       is free
 */
public record MigrateSettings(GuestFactory<SourceGuest> guest, Connector target,
        TrackerChoice tracker,
        SourceOptions options, After after, boolean copyStorage, Path stateDirectory,
        long lingerNanos, String slot) {
    /** Longest wait for any guest to stand still: its storage may be slow. */
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    /**
     * Moves in another way.
     *
     * @param others of the migration
     * @return the changed copy
     */
    public MigrateSettings with(SourceOptions others) {
        return new MigrateSettings(guest, target, tracker, others, after, copyStorage,
                stateDirectory, lingerNanos, slot);
    }

    /**
     * Names the guest, or how it is reached, in another way.
     *
     * @param other the guest
     * @return the changed copy
     */
    public MigrateSettings with(GuestFactory<SourceGuest> other) {
        return new MigrateSettings(other, target, tracker, options, after, copyStorage,
                stateDirectory, lingerNanos, slot);
    }

    /** Returns how long to wait until the guest stands still. */
    Duration pauseLimit() {
        Duration asked = Duration.ofNanos(options.cold() ? options.limits().timeoutNanos()
                : options.limits().maxSwitchoverNanos());
        return asked.compareTo(LONGEST_PAUSE) < 0 ? asked : LONGEST_PAUSE;
    }

    /** Returns how long what is frozen may stay so before a guard thaws it: never for a pause. */
    Duration longestFreeze() {
        return Duration.ofNanos(options.cold() ? options.limits().timeoutNanos()
                : options.limits().maxSwitchoverNanos()).plus(LONGEST_PAUSE);
    }

    /** Returns whether the guest may be slowed down. */
    boolean isThrottled() {
        return options.limits().throttling().isAsked();
    }
}
