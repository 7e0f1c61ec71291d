package io.pageferry.agent.session;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.link.Connector;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.outgoing.session.SourceOptions;
import java.nio.file.Path;

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
 */
public record MigrateSettings(GuestFactory<SourceGuest> guest, Connector target,
        TrackerChoice tracker,
        SourceOptions options, After after, boolean copyStorage, Path stateDirectory,
        long lingerNanos) {
    /** Returns whether the guest may be slowed down. */
    boolean isThrottled() {
        return options.limits().throttling().isAsked();
    }
}
