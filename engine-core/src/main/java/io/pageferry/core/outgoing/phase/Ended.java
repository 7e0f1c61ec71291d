package io.pageferry.core.outgoing.phase;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.outgoing.session.SourceContext;
import io.pageferry.core.outgoing.session.SourceState;

/**
 * Keeps how the migration ended.
 *
 * @param context of the migration
 * @param outcome how it ended
 */
public record Ended(SourceContext context, Outcome outcome) implements Phase {
    /** Ends with the guest running here: nothing is left to settle, but in one that is silent. */
    static Ended settled(SourceContext context, Outcome outcome) {
        if (!outcome.isGuestSilent()) {
            context.record(JournalState.SETTLED, context.epoch(), outcome.reason());
        }
        return new Ended(context, outcome);
    }

    @Override
    public SourceState state() {
        return SourceState.ENDED;
    }

    @Override
    public Phase on(Message message) {
        return this;
    }
}
