package io.pageferry.core.incoming.phase;

import io.pageferry.core.incoming.session.TargetContext;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Side;
import java.util.Optional;

/** Answers the source what became of the guest, each time it asks, until its farewell. */
public final class LastWord implements Phase {
    private final TargetContext context;
    private final TargetState state;
    private final Message word;
    private final Outcome end;
    private long deadline;

    LastWord(TargetContext context, TargetState state, Message word, Outcome end) {
        this.context = context;
        this.state = state;
        this.word = word;
        this.end = end;
        prolong();
    }

    private void prolong() {
        deadline = context.now() + context.parts().options().lastWordNanos();
    }

    @Override
    public TargetState state() {
        return state;
    }

    @Override
    public TargetContext context() {
        return context;
    }

    @Override
    public Phase begin() {
        context.send(word);
        return unlessUp();
    }

    /** Without a link the source can no longer be answered. */
    private Phase unlessUp() {
        return context.link().isUp() ? this : ended();
    }

    private Phase ended() {
        return new Ended(context, end, Optional.of(word));
    }

    @Override
    public Phase turn(long now) {
        return now - deadline >= 0 ? ended() : this;
    }

    @Override
    public Phase on(Message message) {
        return switch (message) {
            case Message.Grant grant when grant.epoch() == context.epoch() -> say(word);
            case Message.Grant grant -> say(new Message.StatusUnknown(grant.epoch(),
                    "the epoch here is " + context.epoch()));
            case Message.Status status when status.epoch() == context.epoch() -> say(word);
            case Message.Status status -> say(new Message.StatusUnknown(status.epoch(),
                    "not decided yet"));
            case Message.Farewell farewell when farewell.epoch() == context.epoch() -> {
                context.figures().times(farewell.totalNanos(), farewell.downtimeNanos());
                yield ended();
            }
            case Message.Farewell farewell -> this;
            case Message.PageChecksumsRequest request when state == TargetState.RUNNING ->
                    audited(request);
            default -> Phase.super.on(message);
        };
    }

    /** A source that audits has more to ask before its farewell. */
    private Phase audited(Message.PageChecksumsRequest request) {
        prolong();
        return context.receiver().flatMap(image -> image.answer(request)).map(this::say)
                .orElseGet(() -> violated("checksums of pages that are not there"));
    }

    private Phase say(Message answer) {
        context.send(answer);
        return this;
    }

    /** Changes nothing any more: what was decided stands. */
    @Override
    public Phase end(ErrorCode code, String reason, Side side) {
        return unlessUp();
    }

    @Override
    public Phase bug(RuntimeException e) {
        context.warn(TargetContext.describe(e));
        return ended();
    }

    @Override
    public Phase sourceBack(TargetLink fresh, long generation) {
        if (state != TargetState.REFUSED) {
            return this;
        }
        context.link().close();
        return ended();
    }

    @Override
    public Optional<Message> answerToResume() {
        return context.refusal("the guest was granted");
    }
}
