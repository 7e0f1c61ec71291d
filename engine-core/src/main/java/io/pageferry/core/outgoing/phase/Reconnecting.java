package io.pageferry.core.outgoing.phase;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.outgoing.session.Dialer;
import io.pageferry.core.outgoing.session.SourceContext;
import io.pageferry.core.outgoing.session.SourceState;
import java.io.IOException;
import java.util.Optional;

/**
 * Replaces a link that was lost while the guest is ours and runs: the debt goes back to dirty at
 * once, then the target is asked to go on until the window is over.
 */
public final class Reconnecting implements Phase {
    private static final String FRUITLESS = "; the target was reached again, and nothing of the"
            + " guest arrived there within the reconnect window: do large packets pass the path"
            + " between them (its MTU)?";

    /**
     * How the link was lost.
     *
     * @param code      why
     * @param reason    why, in words
     * @param nanos     when
     * @param lastRound the highest round begun outside of pre-copy
     */
    record Loss(ErrorCode code, String reason, long nanos, long lastRound) {
        Outcome outcome() {
            return Outcome.of(Result.FAILED, code, reason, Side.TARGET);
        }
    }

    private final SourceContext context;
    private final Dialer dialer;
    private final Precopy precopy;
    private final Loss loss;
    private long resentBytes;

    Reconnecting(SourceContext context, Dialer dialer, Precopy precopy, Loss loss) {
        this.context = context;
        this.dialer = dialer;
        this.precopy = precopy;
        this.loss = loss;
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
        resentBytes = context.leaveLink();
        dialer.begin(context.now());
        context.warn("the link is lost (" + loss.reason() + "); the guest runs on here, and the "
                + "target is tried again for " + windowNanos() / 1_000_000 + " ms");
        return this;
    }

    @Override
    public Phase turn(long now) throws IOException {
        Optional<Outcome> end = context.guestEnded().or(precopy::overdueWithoutLink);
        if (end.isPresent()) {
            return fail(end.get());
        }
        context.requireUnchanged();
        context.throttle().turn(now);
        Dialer.Attempt attempt = dialer.turn(now);
        if (attempt instanceof Dialer.Refused refused) {
            return over(Outcome.of(Result.FAILED, refused.code(), "the link was lost ("
                    + loss.reason() + "), and the target does not go on: " + refused.reason(),
                    Side.TARGET));
        }
        if (now - context.losses().sinceNanos() >= windowNanos()) {
            return over(Outcome.of(Result.FAILED, loss.code(), loss.reason()
                    + (context.losses().isFruitless() ? FRUITLESS
                    : "; the target could not be reached again within the reconnect window"),
                    Side.TARGET));
        }
        return switch (attempt) {
            case Dialer.Welcomed welcomed -> {
                dialer.attach(welcomed);
                yield this;
            }
            case Dialer.Attaching attaching when attaching.link().channelsReady() ->
                    reconnected(now);
            default -> this;
        };
    }

    private long windowNanos() {
        return context.parts().options().reconnectNanos();
    }

    private Phase reconnected(long now) {
        context.link().renew(dialer.takeLink());
        context.figures().reconnected(resentBytes);
        context.log("reconnected after " + (now - loss.nanos()) / 1_000_000 + " ms, generation "
                + dialer.generation() + ", " + resentBytes + " bytes to send again");
        return precopy.goOn(loss.lastRound());
    }

    private Phase over(Outcome why) {
        dialer.close();
        return Ended.settled(context, why);
    }

    /** Takes nothing: the link that it would come on is closed. */
    @Override
    public Phase on(Message message) {
        return this;
    }

    @Override
    public Phase lost(ErrorCode code, String reason) {
        return this;
    }

    /** Tries to send the end to the target, and nothing more. */
    @Override
    public Phase fail(Outcome why) {
        return new CancelDelivery(context, dialer, why);
    }
}
