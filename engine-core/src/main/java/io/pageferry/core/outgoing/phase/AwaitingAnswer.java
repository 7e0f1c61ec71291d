package io.pageferry.core.outgoing.phase;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.outgoing.session.Dialer;
import io.pageferry.core.outgoing.session.SourceContext;
import io.pageferry.core.outgoing.session.SourceState;

/** Waits for the target's answer to a cancel that was sent on a link that is up. */
public final class AwaitingAnswer implements Phase {
    /**
     * For so long the answer is awaited before the cancel is sent again, over another link: the
     * one at hand may be lost without a sign of it yet.
     */
    public static final long ANSWER_NANOS = 500_000_000L;

    private final SourceContext context;
    private final Dialer dialer;
    private final long until;
    private Outcome end;

    AwaitingAnswer(SourceContext context, Dialer dialer, Outcome end) {
        this.context = context;
        this.dialer = dialer;
        this.end = end;
        this.until = context.now() + ANSWER_NANOS;
    }

    @Override
    public SourceState state() {
        return SourceState.PRECOPY;
    }

    @Override
    public SourceContext context() {
        return context;
    }

    @Override
    public Phase begin() {
        context.liftThrottle();
        return this;
    }

    @Override
    public Phase turn(long now) {
        // A guest that ends meanwhile is the end.
        context.guestEnded().ifPresent(gone -> end = gone);
        if (context.link().isUp() && now - until < 0) {
            return this;
        }
        context.leaveLink();
        return new CancelDelivery(context, dialer, end);
    }

    /** Takes the target's last word for an answer, whatever it is. */
    @Override
    public Phase on(Message message) {
        return switch (message) {
            case Message.Cancel cancel -> Ended.settled(context, end);
            case Message.Refused refused -> Ended.settled(context, end);
            case Message.Failure failure -> Ended.settled(context, end);
            default -> this;
        };
    }

    @Override
    public Phase lost(ErrorCode code, String reason) {
        return this;
    }
}
