package io.pageferry.core.incoming.phase;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.incoming.session.TargetContext;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.incoming.session.UnauthorisedRun;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Side;
import java.util.Optional;

/**
 * Ends the guest behind J(REFUSED). REFUSED is sent, and SETTLED written, only of a guest that is
 * known to have ended.
 *
 * @param context of the migration
 * @param why     how it ends
 */
record Refusing(TargetContext context, Outcome why) implements Phase {
    /** Writes J(REFUSED). */
    static Phase of(TargetContext context, UnauthorisedRun run, Outcome why) {
        String reason = run.addTo(why.reason());
        context.record(JournalState.REFUSED, reason);
        return new Refusing(context, Outcome.of(why.result(), why.code(), reason, why.side())
                .causedBy(why.cause()));
    }

    @Override
    public TargetState state() {
        return TargetState.REFUSED;
    }

    @Override
    public Phase begin() {
        try {
            context.parts().guest().discardOrThrow();
        } catch (GuestException e) {
            return new Ended(context, Outcome.of(why.result(), why.code(), why.reason()
                    + Activating.NOT_ENDED + e.getMessage(), why.side()).withRemedy(e.remedy())
                    .causedBy(e));
        }
        context.record(JournalState.SETTLED, why.reason());
        return new LastWord(context, state(),
                new Message.Refused(context.epoch(), why.reason()), why);
    }

    @Override
    public Phase end(ErrorCode code, String reason, Side side) {
        return this;
    }

    @Override
    public Phase bug(RuntimeException e) {
        return Ended.bug(context, why.reason() + Activating.NOT_ENDED
                + TargetContext.describe(e), e);
    }

    @Override
    public Optional<Message> answerToResume() {
        return context.refusal("the guest was granted");
    }
}
