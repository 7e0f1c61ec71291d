package io.pageferry.core.outgoing.phase;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.outgoing.session.SourceContext;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.outgoing.session.Wording.Remedy;
import java.util.Optional;
import java.util.function.Supplier;

/** Resumes the guest, which is ours again, behind J(OWNED): at once, and until it succeeds. */
public final class RollingBack implements Phase {
    /** A resume that another process's lock refused is tried again this often. */
    private static final long RETRY_NANOS = 200_000_000L;

    private final SourceContext context;
    private final Outcome why;
    private final Runnable afterFirstTry;
    private final Supplier<Phase> next;
    private final long deadline;
    private long nextTry;
    private boolean warned;

    private RollingBack(SourceContext context, Outcome why, Runnable afterFirstTry,
            Supplier<Phase> next) {
        this.context = context;
        this.why = why;
        this.afterFirstTry = afterFirstTry;
        this.next = next;
        this.nextTry = context.now();
        this.deadline = nextTry + context.parts().options().settleNanos();
    }

    /**
     * Owns the guest again in an epoch, and ends once it runs.
     *
     * @param afterFirstTry sends the target its message; the guest comes first
     */
    static Phase toTheEnd(SourceContext context, long epoch, Outcome why,
            Runnable afterFirstTry) {
        own(context, epoch, why);
        return new RollingBack(context, why, afterFirstTry, () -> {
            context.record(JournalState.SETTLED, epoch, "");
            return new Ended(context, why);
        });
    }

    /** Owns the guest again after a mismatch, and has the pages named once it runs. */
    static Phase toNamedPages(SourceContext context, Outcome why, Message.Mismatch found) {
        own(context, context.epoch(), why);
        return new RollingBack(context, why, () -> { }, () -> {
            context.record(JournalState.SETTLED, context.epoch(), "");
            return new NamingPages(context, why, found);
        });
    }

    /** Owns the guest again, after which it is pre-copy: to go on, or to send that it is over. */
    static Phase toPrecopy(SourceContext context, Outcome why, Runnable afterFirstTry,
            Supplier<Phase> next) {
        own(context, context.epoch(), why);
        return new RollingBack(context, why, afterFirstTry, next);
    }

    private static void own(SourceContext context, long epoch, Outcome why) {
        context.record(JournalState.OWNED, epoch, why.reason());
        context.figures().owner(Owner.SOURCE, epoch);
    }

    @Override
    public SourceState state() {
        return SourceState.OWNED;
    }

    @Override
    public SourceContext context() {
        return context;
    }

    @Override
    public Phase begin() {
        Phase following = turn(nextTry);
        afterFirstTry.run();
        return following;
    }

    @Override
    public Phase turn(long now) {
        if (now - nextTry < 0) {
            return this;
        }
        try {
            if (context.ran()) {
                context.parts().guest().resume();
            }
        } catch (GuestException e) {
            return refused(e);
        }
        return next.get();
    }

    private Phase refused(GuestException refusal) {
        nextTry = context.now() + RETRY_NANOS;
        if (refusal.mayRetry() && !refusal.isSilent() && !warned) {
            warned = true;
            context.warn("the guest is ours and stays paused, trying again: "
                    + refusal.getMessage());
        }
        Optional<String> ended = context.parts().guest().ended();
        if (ended.isPresent()) {
            return new Ended(context, Outcome.of(Result.GUEST_ENDED, ErrorCode.GUEST_ENDED,
                    ended.get(), Side.SOURCE));
        }
        if (refusal.isSilent()) {
            return leftSilent(refusal);
        }
        if (refusal.mayRetry() && context.now() - deadline < 0) {
            return this;
        }
        return new Ended(context, Outcome.of(Result.IN_DOUBT, refusal.code(),
                "the guest is ours but cannot go on: " + refusal.getMessage(), Side.SOURCE)
                .withRemedy(context.advice(Remedy.FREE_GUEST)).causedBy(refusal));
    }

    /** Behind J(OWNED), which asks for what is left to be done. */
    private Phase leftSilent(GuestException silence) {
        Result result = why.result() == Result.CANCELLED ? Result.CANCELLED : Result.FAILED;
        return Ended.silent(context, Outcome.of(result, why.code(), why.reason()
                + (why.isGuestSilent() ? "" : "; " + silence.getMessage()), why.side())
                .withRemedy(why.remedy()).causedBy(silence));
    }

    @Override
    public Phase on(Message message) {
        return this;
    }
}
