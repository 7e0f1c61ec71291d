package io.pageferry.core.incoming.phase;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.incoming.session.TargetContext;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.migration.Outcome.Side;
import java.util.Optional;

/**
 * Does what one state of the target allows. Every act returns the phase that follows, which is the
 * phase itself while it lasts; what a phase needs of the one before is handed over in its
 * constructor.
 */
public sealed interface Phase permits Waiting, Reserved, Receiving, KeptImage, Proving,
        Mismatched, Ready, Ready.Loading, Refusing, Activating, LastWord, Ended {
    /** {@return the state that it stands for} */
    TargetState state();

    /** {@return what all phases share} */
    TargetContext context();

    /**
     * Acts once, when it is the migration's phase already: what fails here is its own failure.
     *
     * @return the phase that follows
     */
    default Phase begin() {
        return this;
    }

    /**
     * Does what can be done now.
     *
     * @param now monotonic nanoseconds
     * @return the phase that follows
     */
    default Phase turn(long now) {
        return this;
    }

    /**
     * Takes a message of the source. One that does not fit ends the session, and the reason names
     * the state and the message.
     *
     * @param message what came
     * @return the phase that follows
     */
    default Phase on(Message message) {
        return switch (message) {
            case Message.Status status -> {
                context().send(new Message.StatusUnknown(status.epoch(),
                        "still " + state().label()));
                yield this;
            }
            case Message.Cancel cancel -> {
                context().figures().givenUp();
                yield end(cancel.code(), cancel.reason(), Side.SOURCE);
            }
            case Message.Failure failed -> lost(failed.code(), failed.reason());
            case Message.Heartbeat heartbeat -> this;
            case Message.MemoryAccess access when state() != TargetState.WAITING -> {
                context().figures().sourceAccess(access.way());
                yield this;
            }
            default -> violated("unexpected " + message.getClass().getSimpleName() + " in "
                    + state());
        };
    }

    /**
     * Takes pages of the source.
     *
     * @param batch of them
     * @return the phase that follows
     */
    default Phase on(PageBatch batch) {
        return violated("a batch of generation " + batch.generation() + " in " + state());
    }

    /**
     * Goes on without the link.
     *
     * @param code   why it was lost
     * @param reason why, in words
     * @return the phase that follows
     */
    default Phase lost(ErrorCode code, String reason) {
        return end(code, reason, Side.SOURCE);
    }

    /**
     * Ends the session of a source that broke a rule, and sends it the reason.
     *
     * @param what it did
     * @return the phase that follows
     */
    default Phase violated(String what) {
        context().send(new Message.Failure(ErrorCode.PROTOCOL_VIOLATION, what));
        return end(ErrorCode.PROTOCOL_VIOLATION, what, Side.SOURCE);
    }

    /**
     * Ends the migration, where that is still to be decided.
     *
     * @param code   why
     * @param reason why, in words
     * @param side   where the trouble began
     * @return the phase that follows
     */
    Phase end(ErrorCode code, String reason, Side side);

    /**
     * Ends the migration on a request to cancel; called again in every turn.
     *
     * @return the phase that follows
     */
    default Phase cancel() {
        return end(ErrorCode.CANCELLED, "cancelled at the target", Side.TARGET);
    }

    /**
     * Ends the migration after something threw what it does not declare.
     *
     * @param e what was thrown
     * @return the phase that follows
     */
    Phase bug(RuntimeException e);

    /**
     * Goes on with a source that came back over a new link, with the session's token and a new
     * generation. It runs the guest itself.
     *
     * @param fresh      on which it came
     * @param generation that it asked for
     * @return the phase that follows
     */
    default Phase sourceBack(TargetLink fresh, long generation) {
        return this;
    }

    /** {@return what a source that came back is answered, empty where its link was taken} */
    Optional<Message> answerToResume();
}
