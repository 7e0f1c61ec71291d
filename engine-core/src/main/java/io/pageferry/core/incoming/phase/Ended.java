package io.pageferry.core.incoming.phase;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.incoming.session.TargetContext;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.UncheckedIOException;
import java.util.Optional;

/**
 * Keeps how the migration ended.
 *
 * @param context  of the migration
 * @param outcome  how it ended
 * @param lastWord what was sent to the source about the guest, if anything
 */
public record Ended(TargetContext context, Outcome outcome, Optional<Message> lastWord)
        implements Phase {
    Ended(TargetContext context, Outcome outcome) {
        this(context, outcome, Optional.empty());
    }

    /** Ends before anything was loaded: the image goes, and nothing is left behind. */
    static Phase discarded(TargetContext context, Outcome outcome, Message.Cancel told) {
        context.send(told);
        context.parts().guest().discard();
        context.record(JournalState.SETTLED, told.reason());
        return new Ended(context, outcome);
    }

    /** Ends, before anything was loaded, with a bug or an image that fails. */
    static Phase discarded(TargetContext context, RuntimeException bug) {
        boolean unreachable = bug instanceof UncheckedIOException;
        ErrorCode code = unreachable ? ErrorCode.HOST_FAILED : ErrorCode.INTERNAL;
        String why = bug instanceof PagedMemory.GoneException ? bug.getCause().getMessage()
                : unreachable ? "the image cannot be written or read: "
                + bug.getCause().getMessage() : TargetContext.describe(bug);
        context.send(unreachable ? new Message.Cancel(context.epoch(), code, why)
                : new Message.Failure(code, why));
        try {
            context.parts().guest().discard();
            context.record(JournalState.SETTLED, why);
        } catch (RuntimeException e) {
            context.warn(TargetContext.describe(e));
        }
        return new Ended(context, Outcome.of(unreachable ? Result.FAILED : Result.BUG, code, why,
                Side.TARGET).causedBy(bug));
    }

    static Phase bug(TargetContext context, String why, RuntimeException e) {
        return new Ended(context, Outcome.of(Result.BUG, ErrorCode.INTERNAL, why, Side.TARGET)
                .causedBy(e));
    }

    @Override
    public TargetState state() {
        return TargetState.ENDED;
    }

    @Override
    public Phase on(Message message) {
        return this;
    }

    @Override
    public Phase on(PageBatch batch) {
        return this;
    }

    @Override
    public Phase end(ErrorCode code, String reason, Side side) {
        return this;
    }

    @Override
    public Phase bug(RuntimeException e) {
        throw e;
    }

    /** A guest that was refused is so for ever; one that was granted is not talked out of it. */
    @Override
    public Optional<Message> answerToResume() {
        return lastWord.filter(Message.Refused.class::isInstance)
                .or(() -> context.refusal("the guest was granted"));
    }
}
