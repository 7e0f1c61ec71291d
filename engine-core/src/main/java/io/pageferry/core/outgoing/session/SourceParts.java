package io.pageferry.core.outgoing.session;

import io.pageferry.core.handover.Journal;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.migration.MigrationListener;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import org.agrona.concurrent.NanoClock;

/**
 * What a source migration works with. All of it stays the caller's, to be closed after the
 * migration ended.
 *
 * @param id       names the migration for ever
 * @param guest    to move
 * @param link     to the target, fresh
 * @param opener   reaches the target again after a grant
 * @param journal  empty
 * @param clock    monotonic
 * @param listener receives events
 * @param options  how it is to go
 * @param warm     whether the code of the pause has run before, so that it is not slow there: asked
 *                 when the guest could be paused, and it is not before that is so
 */
public record SourceParts(
        UUID id,
        Guest guest,
        SourceLink link,
        LinkOpener opener,
        Journal journal,
        NanoClock clock,
        MigrationListener listener,
        SourceOptions options,
        BooleanSupplier warm) {
    /** The same over another link. */
    SourceParts over(SourceLink other) {
        return new SourceParts(id, guest, other, opener, journal, clock, listener, options, warm);
    }
}
