package io.pageferry.core.outgoing;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.util.Optional;

/**
 * The guest is ours again: J(OWNED), then resume at once, and again until it succeeds. After a
 * mismatch the pages are named while the guest runs on.
 */
final class Rollback {
    /** How often a resume is tried again that somebody's lock refused. */
    private static final long RETRY_NANOS = 200_000_000L;

    /** Longest wait for the checksums that name the pages of a mismatch. */
    private static final long MISMATCH_NANOS = 5_000_000_000L;

    private final SourceContext context;
    private final Outcome why;
    private final Optional<Runnable> goOn;
    private Message.Mismatch found;
    private MismatchFinder mismatch;
    private boolean resumed;
    private boolean warned;
    private long deadline;
    private long nextTry;

    Rollback(SourceContext context, Outcome why) {
        this(context, why, Optional.empty());
    }

    /** Makes one after which it is pre-copy again: to go on, or to say that it is over. */
    static Rollback toPrecopy(SourceContext context, Outcome why) {
        return new Rollback(context, why,
                Optional.of(() -> context.enter(SourceState.PRECOPY)));
    }

    private Rollback(SourceContext context, Outcome why, Optional<Runnable> goOn) {
        this.context = context;
        this.why = why;
        this.goOn = goOn;
    }

    /** Owns the guest in an epoch and resumes it. */
    void begin(long epoch) {
        context.record(JournalState.OWNED, epoch, why.reason());
        context.figures().owner("source", epoch);
        context.enter(SourceState.OWNED);
        nextTry = context.now();
        deadline = nextTry + context.parts.options().settleNanos();
        turn();
    }

    /** Has the pages named that differ, once the guest runs again. */
    void name(Message.Mismatch mismatchFound) {
        found = mismatchFound;
    }

    void onTable(Message.PageChecksums table) {
        if (mismatch != null) {
            mismatch.compare(table);
        }
    }

    void turn() {
        if (!resumed) {
            resume();
        } else if (goOn.isPresent()) {
            goOn.get().run();
        } else if (found == null) {
            context.finish(why);
        } else if (mismatch == null) {
            mismatch = new MismatchFinder(context);
            mismatch.compare(found);
        } else {
            name();
        }
    }

    /** The guest runs here meanwhile, and where it ends that is the end. */
    private void name() {
        Optional<Outcome> gone = context.guestEnded();
        if (gone.isEmpty() && !mismatch.isDone() && context.now() - deadline < 0
                && context.parts.link().isUp()) {
            return;
        }
        context.tellTarget(ErrorCode.DIGEST_MISMATCH, "mismatch");
        gone.ifPresent(any -> context.warn(mismatch.describe()));
        context.finish(gone.orElseGet(() ->
                Outcome.of(why.result(), why.code(), mismatch.describe(), why.side())));
    }

    private void resume() {
        if (context.now() - nextTry < 0) {
            return;
        }
        try {
            if (context.ran()) {
                context.parts.guest().resume();
            }
            resumed = true;
            deadline = context.now() + MISMATCH_NANOS;
            if (goOn.isEmpty()) {
                context.record(JournalState.SETTLED, context.figures().epoch(), "");
            }
        } catch (GuestException e) {
            nextTry = context.now() + RETRY_NANOS;
            if (e.mayRetry() && !warned) {
                warned = true;
                context.warn("the guest is ours and stays paused, trying again: "
                        + e.getMessage());
            }
            Optional<String> ended = context.parts.guest().ended();
            if (ended.isPresent()) {
                context.finish(Outcome.of(Result.GUEST_ENDED, ErrorCode.GUEST_ENDED, ended.get(),
                        Side.SOURCE));
            } else if (!e.mayRetry() || context.now() - deadline >= 0) {
                context.finish(Outcome.of(Result.IN_DOUBT, e.code(),
                        "the guest is ours but cannot go on: " + e.getMessage(), Side.SOURCE)
                        .withRemedy("free what holds it, then: pageferry settle "
                        + context.parts.id()));
            }
        }
    }
}
