package io.pageferry.core.incoming.session;

import io.pageferry.core.handover.Journal;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.migration.IncomingGuest;
import io.pageferry.core.migration.MigrationListener;
import java.io.IOException;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import org.agrona.concurrent.NanoClock;

/**
 * What a target migration works with. All of it stays the caller's, to be closed after the
 * migration ended; the journal, too, belongs to the caller that opened it.
 *
 * @param link     to the source; its first message is the offer
 * @param guest    that is to take the offer
 * @param journals makes the journal once the migration's name is known
 * @param token    the session's secret
 * @param clock    monotonic
 * @param listener receives events
 * @param options  limits
 * @param warm     whether the code of the pause has run before, so that it is not slow there: no
 *                 round counts as applied before that is so, and no pause comes before a round
 */
public record TargetParts(
        TargetLink link,
        IncomingGuest guest,
        JournalMaker journals,
        UUID token,
        NanoClock clock,
        MigrationListener listener,
        TargetOptions options,
        BooleanSupplier warm) {
    /** Makes the journal of a migration. */
    @FunctionalInterface
    public interface JournalMaker {
        /**
         * Makes the journal of a migration.
         *
         * @param migrationId names it
         * @return an empty journal
         * @throws IOException when it cannot be made, or is there already
         */
        Journal open(UUID migrationId) throws IOException;
    }
}
