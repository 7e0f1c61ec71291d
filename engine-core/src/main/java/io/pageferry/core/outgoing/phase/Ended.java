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
        if (outcome.isGuestSilent()) {
            return silent(context, outcome);
        }
        context.record(JournalState.SETTLED, context.epoch(), outcome.reason());
        return new Ended(context, outcome);
    }

    /**
     * Ends with a guest that does not answer. Nothing was granted, so there is no doubt whose it
     * is; its journal is not settled, and whoever takes that over sees to the guest.
     */
    static Ended silent(SourceContext context, Outcome outcome) {
        return new Ended(context, new Outcome(outcome.result(), outcome.code(), outcome.reason()
                + "; the guest is ours and goes on here as soon as it answers", outcome.side(),
                outcome.remedy(), outcome.cause()));
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
