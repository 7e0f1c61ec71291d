package io.pageferry.core.outgoing.phase;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.outgoing.session.Dialer;
import io.pageferry.core.outgoing.session.SourceContext;
import io.pageferry.core.outgoing.session.SourceState;

/**
 * Sends the target, over another link, that the migration is over; the guest runs here. It is tried
 * for as long as one attempt may take: with 1 s, busy hosts did not get it sent.
 */
public final class CancelDelivery implements Phase {
    private final SourceContext context;
    private final Dialer dialer;
    private final long until;
    private Outcome end;

    CancelDelivery(SourceContext context, Dialer dialer, Outcome end) {
        this.context = context;
        this.dialer = dialer;
        this.end = end;
        this.until = context.now() + Dialer.ATTEMPT;
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
        dialer.begin(context.now());
        return this;
    }

    @Override
    public Phase turn(long now) {
        // A guest that ends meanwhile is the end.
        context.guestEnded().ifPresent(gone -> end = gone);
        if (now - until >= 0 || isDelivered(dialer.turn(now))) {
            dialer.close();
            return Ended.settled(context, end);
        }
        return this;
    }

    /** Whether the target knows; one that refuses the session has ended it. */
    private boolean isDelivered(Dialer.Attempt attempt) {
        Message.Cancel cancel = new Message.Cancel(context.epoch(), end.code(), end.reason());
        return switch (attempt) {
            case Dialer.Welcomed welcomed -> welcomed.link().send(cancel);
            case Dialer.Attaching attaching -> attaching.link().send(cancel);
            case Dialer.Refused refused -> true;
            default -> false;
        };
    }

    @Override
    public Phase on(Message message) {
        return this;
    }

    @Override
    public Phase lost(ErrorCode code, String reason) {
        return this;
    }
}
