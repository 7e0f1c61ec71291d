package io.pageferry.core.outgoing.phase;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.MigrationFigures.Part;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.handover.StatusQuery;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.outgoing.session.SourceContext;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.outgoing.session.Wording.Remedy;

/** Waits for the target's word after J(GRANTED). The guest here stays paused whatever happens. */
public final class Granted implements Phase {
    private final SourceContext context;
    private final StatusQuery query;
    private final long pausedNanos;
    private final long readyNanos;

    /** Begins behind J(GRANTED), with the grant unsent. */
    Granted(SourceContext context, long pausedNanos, long readyNanos) {
        this.context = context;
        this.pausedNanos = pausedNanos;
        this.readyNanos = readyNanos;
        this.query = new StatusQuery(context.parts().id(), context.epoch(),
                context.parts().opener(), context.link(),
                new StatusQuery.Window(context.now(), context.parts().options().settleNanos()));
        context.onClose(query::close);
    }

    @Override
    public SourceState state() {
        return SourceState.GRANTED;
    }

    @Override
    public SourceContext context() {
        return context;
    }

    @Override
    public Phase begin() {
        context.outbox().send(new Message.Grant(context.epoch(), context.ran()));
        return this;
    }

    @Override
    public int poll(LinkHandler handler) {
        return query.step(context.now(), handler);
    }

    @Override
    public Phase turn(long now) {
        holdStill(context);
        if (!query.isOver(now)) {
            return this;
        }
        return new Ended(context, Outcome.of(Result.IN_DOUBT, ErrorCode.LINK_LOST,
                "no word from the target since it was granted the guest; ours stays paused, "
                + "because the target may run it", Side.TARGET)
                .withRemedy(context.advice(Remedy.ASK_TARGET)));
    }

    /** Pauses a guest that another process resumed here, too late: the target may run it. */
    static void holdStill(SourceContext context) {
        if (!context.parts().guest().resumedExternally()) {
            return;
        }
        try {
            context.parts().guest().pause();
            context.warn("somebody let the guest go on here, although the target may run it; it"
                    + " was paused again: what it did meanwhile is lost");
        } catch (GuestException e) {
            context.warn("somebody let the guest go on here, although the target may run it, and"
                    + " it cannot be paused: " + e.getMessage());
        }
    }

    @Override
    public Phase on(Message message) {
        return switch (message) {
            case Message.Running running when running.epoch() == context.epoch() ->
                    runsThere(running);
            // An answer about another attempt does not decide this one.
            case Message.Running running -> this;
            case Message.Refused refused when refused.epoch() == context.epoch() ->
                    oursAgain(refused.reason());
            case Message.Returned returned when returned.epoch() == context.epoch() ->
                    oursAgain(returned.reason());
            case Message.StatusUnknown unknown -> {
                context.log("the target says: " + unknown.reason());
                yield this;
            }
            default -> Phase.super.on(message);
        };
    }

    private Phase runsThere(Message.Running running) {
        long now = context.now();
        long resumeNanos = Math.min(running.resumeNanos(), now - readyNanos);
        context.figures().add(Part.RESUME, resumeNanos);
        context.figures().add(Part.HANDOVER, now - readyNanos - resumeNanos);
        context.figures().times(now - pausedNanos, now - context.startNanos());
        context.figures().owner(Owner.TARGET, context.epoch());
        context.record(JournalState.DONE, context.epoch(), "");
        return new EndingGuest(context, query, now);
    }

    /** Takes the target's durable no: the guest goes on here, and the target may forget us. */
    private Phase oursAgain(String reason) {
        Outcome why = Outcome.of(Result.FAILED, ErrorCode.GUEST_FAILED,
                "the target gave the guest back: " + reason, Side.TARGET);
        return RollingBack.toTheEnd(context, context.epoch() + 1, why,
                () -> query.tell(new Message.Farewell(context.epoch(), 0, 0)));
    }

    @Override
    public Phase targetFailed(ErrorCode code, String reason) {
        context.warn(reason + "; asking the target what became of the guest");
        return this;
    }

    @Override
    public Phase cancel() {
        context.noteLateCancel();
        return this;
    }
}
