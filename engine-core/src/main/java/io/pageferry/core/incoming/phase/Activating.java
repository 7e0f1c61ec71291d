package io.pageferry.core.incoming.phase;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.incoming.session.TargetContext;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.incoming.session.UnauthorisedRun;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.util.Optional;

/**
 * Resumes the guest behind J(ACTIVE), or gives it back where it provably never ran.
 *
 * @param context of the migration
 * @param early   whether another process let it run before
 * @param runs    whether it is to run: a guest that was paused before stays paused
 */
record Activating(TargetContext context, UnauthorisedRun early, boolean runs)
        implements Phase {
    static final String NOT_ENDED = "; and the guest here could not be ended: ";

    @Override
    public TargetState state() {
        return TargetState.ACTIVE;
    }

    @Override
    public Phase begin() {
        long before = context.now();
        try {
            if (runs) {
                context.parts().guest().resume();
            } else {
                context.parts().guest().arrivePaused();
            }
        } catch (GuestException e) {
            return e.neverRan() ? giveBack(e) : e.isSilent() ? silent(e)
                    : unknown(e.code(), e.getMessage(), e);
        }
        long resumeNanos = context.now() - before;
        context.figures().resumed(resumeNanos);
        context.record(JournalState.RUNNING, "");
        return new LastWord(context, TargetState.RUNNING,
                new Message.Running(context.epoch(), resumeNanos), Outcome.completed());
    }

    private Phase giveBack(GuestException failed) {
        // It was ended, so this pauses nothing any more.
        early.lookQuietly();
        try {
            context.parts().guest().discardOrThrow();
        } catch (GuestException e) {
            return unknown(e.code(), failed.getMessage() + NOT_ENDED + e.getMessage(), e);
        }
        String reason = early.addTo(failed.getMessage());
        context.record(JournalState.RETURNED, reason);
        context.figures().owner(Owner.SOURCE, context.epoch());
        return new LastWord(context, TargetState.RETURNED,
                new Message.Returned(context.epoch(), reason),
                Outcome.of(Result.FAILED, failed.code(), reason, Side.TARGET)
                        .causedBy(failed));
    }

    /** Ends behind J(ACTIVE): whoever takes the journal over lets it run once it answers. */
    private Phase silent(GuestException silence) {
        return new Ended(context, Outcome.of(Result.FAILED_AT_TARGET, silence.code(),
                "the guest was granted, and runs here as soon as it answers: "
                + silence.getMessage(), Side.TARGET).withRemedy(silence.remedy())
                .causedBy(silence));
    }

    private Phase unknown(ErrorCode code, String why, Exception cause) {
        return new Ended(context, Outcome.of(Result.FAILED_AT_TARGET, code,
                "the guest was granted, and whether it ran cannot be known: " + why
                + (early.happened() ? "; somebody had let it run here before that" : ""),
                Side.TARGET).withRemedy("look at the guest here before starting it anywhere")
                .causedBy(cause));
    }

    @Override
    public Phase end(ErrorCode code, String reason, Side side) {
        return this;
    }

    @Override
    public Phase bug(RuntimeException e) {
        return unknown(ErrorCode.INTERNAL, TargetContext.describe(e), e);
    }

    @Override
    public Optional<Message> answerToResume() {
        return context.refusal("the guest was granted");
    }
}
