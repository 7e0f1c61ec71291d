package io.pageferry.core.outgoing.phase;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.outgoing.session.SourceContext;
import io.pageferry.core.outgoing.session.SourceState;
import java.io.IOException;

/**
 * Does what one state of the source allows. Every act returns the phase that follows, which is the
 * phase itself while it lasts; what a phase needs of the one before is handed over in its
 * constructor. The defaults are those of a phase in which no message and no event changes anything.
 */
public sealed interface Phase permits Negotiating, Precopy, Switchover, Granted, EndingGuest,
        Reconnecting, RollingBack, NamingPages, AwaitingAnswer, CancelDelivery, Ended {
    /** {@return the state that it stands for} */
    SourceState state();

    /** {@return what all phases share} */
    SourceContext context();

    /**
     * Acts once, when it is the migration's phase already: what fails here is its own failure.
     *
     * @return the phase that follows
     * @throws IOException when the host or the guest refuses; the phase's {@link #fail} follows
     */
    default Phase begin() throws IOException {
        return this;
    }

    /**
     * Delivers what arrived.
     *
     * @param handler receives it
     * @return how much that was
     */
    default int poll(LinkHandler handler) {
        return context().link().poll(handler);
    }

    /**
     * Does what can be done now.
     *
     * @param now monotonic nanoseconds
     * @return the phase that follows
     * @throws IOException when the host or the guest refuses; the phase's {@link #fail} follows
     */
    default Phase turn(long now) throws IOException {
        return this;
    }

    /**
     * Takes a message of the target. One that does not fit is a failure of the target's, which
     * names the state and the message.
     *
     * @param message what came
     * @return the phase that follows
     */
    default Phase on(Message message) {
        return switch (message) {
            case Message.RoundApplied applied when progressed(applied.round()) -> {
                context().progress().applied(applied.round());
                yield this;
            }
            case Message.RoundVerified verified when progressed(verified.round()) -> {
                context().progress().walked(verified.round());
                yield this;
            }
            case Message.PagesOwed owed when context().progress().isBarrierPending() ->
                    context().runner().sendAgain(owed.pages())
                            .map(why -> targetFailed(ErrorCode.DIGEST_MISMATCH, why))
                            .orElse(this);
            case Message.Heartbeat heartbeat -> this;
            case Message.MemoryAccess access -> {
                context().figures().targetAccess(access.way());
                yield this;
            }
            case Message.Cancel cancel -> targetFailed(cancel.code(), cancel.reason());
            case Message.Failure failure -> lost(failure.code(), failure.reason());
            case Message.Refused refused ->
                    targetFailed(ErrorCode.GUEST_FAILED, refused.reason());
            case Message.Returned returned ->
                    targetFailed(ErrorCode.GUEST_FAILED, returned.reason());
            default -> targetFailed(ErrorCode.PROTOCOL_VIOLATION, "unexpected "
                    + message.getClass().getSimpleName() + " in " + state());
        };
    }

    private boolean progressed(long round) {
        return context().progress().announced(round);
    }

    /**
     * Goes on without the link.
     *
     * @param code   why it was lost
     * @param reason why, in words
     * @return the phase that follows
     */
    default Phase lost(ErrorCode code, String reason) {
        return targetFailed(code, reason);
    }

    /**
     * Takes a failure that began at the target.
     *
     * @param code   why
     * @param reason why, in words
     * @return the phase that follows
     */
    default Phase targetFailed(ErrorCode code, String reason) {
        return fail(Outcome.of(Result.FAILED, code, reason, Side.TARGET));
    }

    /**
     * Ends the migration for a reason of this side, with the guest here.
     *
     * @param why how it is to end
     * @return the phase that follows; the same where a failure changes nothing any more
     */
    default Phase fail(Outcome why) {
        return this;
    }

    /**
     * Ends the migration on a request to cancel; called again in every turn.
     *
     * @return the phase that follows
     */
    default Phase cancel() {
        return fail(Outcome.of(Result.CANCELLED, ErrorCode.CANCELLED, "cancelled", Side.SOURCE));
    }
}
