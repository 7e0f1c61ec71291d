package io.pageferry.core.outgoing.phase;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.outgoing.session.Dialer;
import io.pageferry.core.outgoing.session.SourceContext;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.SourceParts;
import io.pageferry.core.outgoing.session.SourceState;
import java.io.IOException;
import java.util.Optional;

/** Offers the guest and attaches the data channels; the guest runs. */
public final class Negotiating implements Phase {
    private final SourceContext context;
    private boolean offered;
    private Optional<Message.Welcome> granted = Optional.empty();

    /**
     * Begins before any message.
     *
     * @param context of the migration
     */
    public Negotiating(SourceContext context) {
        this.context = context;
    }

    @Override
    public SourceState state() {
        return SourceState.NEGOTIATING;
    }

    @Override
    public SourceContext context() {
        return context;
    }

    private void offer() {
        offered = true;
        context.announce(state());
        SourceParts parts = context.parts();
        context.outbox().send(new Message.Hello(parts.id(), 0, offeredFeatures(),
                parts.options().channels(), parts.options().verification().ordinal(),
                parts.guest().describe(), parts.options().slot()));
    }

    /** What the guest demands, and the codecs that may be used. */
    private long offeredFeatures() {
        SourceOptions options = context.parts().options();
        boolean zstd = options.codec() == CodecChoice.ADAPTIVE
                || options.codec() == CodecChoice.ZSTD;
        boolean delta = options.codec() != CodecChoice.NONE && options.deltaCacheBytes() > 0;
        return context.parts().guest().features() | Message.FEATURE_BACKLOG
                | (zstd ? Message.FEATURE_ZSTD : 0) | (delta ? Message.FEATURE_DELTA : 0);
    }

    @Override
    public Phase turn(long now) throws IOException {
        if (!offered) {
            offer();
        }
        if (granted.isPresent() && context.link().channelsReady()) {
            return beginPrecopy(granted.get());
        }
        long limit = context.parts().options().negotiationNanos();
        return now - context.startNanos() < limit ? this
                : targetFailed(ErrorCode.DEADLINE, "the target did not answer within "
                        + limit / 1_000_000 + " ms");
    }

    /** Refuses where no tracker can be armed: nothing has changed yet. */
    private Phase beginPrecopy(Message.Welcome welcome) throws IOException {
        try {
            Dialer dialer = new Dialer(context, welcome);
            context.onClose(dialer::close);
            return Precopy.start(context, dialer);
        } catch (TrackerException e) {
            return fail(Outcome.of(Result.REFUSED, ErrorCode.HOST_FAILED, e.getMessage(),
                    Side.SOURCE).causedBy(e));
        }
    }

    @Override
    public Phase on(Message message) {
        return message instanceof Message.Welcome welcome && granted.isEmpty()
                ? welcomed(welcome) : Phase.super.on(message);
    }

    private Phase welcomed(Message.Welcome welcome) {
        if (welcome.channels() < 1
                || welcome.channels() > context.parts().options().channels()
                || welcome.window() < 1
                || (welcome.features() & ~offeredFeatures()) != 0
                || (context.parts().guest().features() & ~welcome.features()) != 0
                || welcome.generation() != 1) {
            return targetFailed(ErrorCode.PROTOCOL_VIOLATION,
                    "WELCOME does not grant what was asked for: " + welcome.channels()
                    + " channels, window " + welcome.window() + ", features "
                    + Long.toHexString(welcome.features()) + ", generation "
                    + welcome.generation());
        }
        granted = Optional.of(welcome);
        context.runner().allow((welcome.features() & Message.FEATURE_ZSTD) != 0,
                (welcome.features() & Message.FEATURE_DELTA) != 0);
        context.link().openChannels(welcome);
        return this;
    }

    @Override
    public Phase targetFailed(ErrorCode code, String reason) {
        return fail(Outcome.of(Result.REFUSED, code, reason, Side.TARGET));
    }

    @Override
    public Phase fail(Outcome why) {
        context.tellTarget(why);
        return new Ended(context, why);
    }
}
