package io.pageferry.agent.session;

import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.link.Connector;
import io.pageferry.core.outgoing.session.SourceOptions;
import java.nio.file.Path;

/**
 * What {@code migrate}, or an embedder, asks for.
 *
 * @param guest          to move, and how it is had
 * @param target         the way there
 * @param tracker        {@code auto} or a name
 * @param options        of the migration
 * @param after          one of {@link io.pageferry.agent.guest.GuestKind#afterwards}
 * @param stateDirectory folder, or null for the user's
 * @param copyStorage    whether its disks are copied
 * @param lingerNanos    how long an embedded guest that stays here goes on running
 */
public record MigrateSettings(GuestFactory<SourceGuest> guest, Connector target, String tracker,
        SourceOptions options, String after, boolean copyStorage, Path stateDirectory,
        long lingerNanos) {
    /** Tells whether the guest may be slowed down. */
    boolean isThrottled() {
        return options.limits().throttling().isAsked();
    }
}
