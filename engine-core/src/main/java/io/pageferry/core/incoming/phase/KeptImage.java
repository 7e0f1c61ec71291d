package io.pageferry.core.incoming.phase;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.incoming.session.TargetContext;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.migration.Outcome.Side;
import java.util.Optional;

/** Keeps the image, and reads it back meanwhile, for a source whose link was lost. */
public final class KeptImage implements Phase {
    private final Receiving receiving;
    private final ErrorCode code;
    private final String reason;
    private final long until;

    KeptImage(Receiving receiving, ErrorCode code, String reason) {
        this.receiving = receiving;
        this.code = code;
        this.reason = reason;
        this.until = context().now() + windowNanos();
    }

    private long windowNanos() {
        return context().parts().options().reconnectNanos();
    }

    @Override
    public TargetState state() {
        return receiving.state();
    }

    @Override
    public TargetContext context() {
        return receiving.context();
    }

    @Override
    public Phase begin() {
        context().link().close();
        context().warn("the link is lost (" + reason + "); the image is kept for "
                + windowNanos() / 1_000_000 + " ms");
        return this;
    }

    @Override
    public Phase turn(long now) {
        Optional<String> gone = context().parts().guest().ended();
        if (gone.isPresent()) {
            return end(ErrorCode.GUEST_ENDED, gone.get(), Side.TARGET);
        }
        if (now - until >= 0) {
            return end(code, reason + "; the source did not come back within the reconnect "
                    + "window", Side.SOURCE);
        }
        context().worked(receiving.receiver().walk());
        return this;
    }

    /** Takes nothing: the link that it would come on is closed. */
    @Override
    public Phase on(Message message) {
        return this;
    }

    @Override
    public Phase on(PageBatch batch) {
        return this;
    }

    @Override
    public Phase lost(ErrorCode again, String why) {
        return this;
    }

    @Override
    public Phase end(ErrorCode why, String words, Side side) {
        return receiving.end(why, words, side);
    }

    @Override
    public Phase bug(RuntimeException e) {
        return receiving.bug(e);
    }

    @Override
    public Phase sourceBack(TargetLink fresh, long generation) {
        return receiving.sourceBack(fresh, generation);
    }

    @Override
    public Optional<Message> answerToResume() {
        return receiving.answerToResume();
    }
}
