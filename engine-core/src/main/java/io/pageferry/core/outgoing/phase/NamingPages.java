package io.pageferry.core.outgoing.phase;

import io.pageferry.core.image.MismatchFinder;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.outgoing.session.SourceContext;
import io.pageferry.core.outgoing.session.SourceState;
import java.util.Optional;

/** Names the pages of a mismatch while the guest runs here again. */
public final class NamingPages implements Phase {
    /** Longest wait for the checksums that name the pages. */
    private static final long MISMATCH_NANOS = 5_000_000_000L;

    private final SourceContext context;
    private final Outcome why;
    private final Message.Mismatch found;
    private final MismatchFinder finder;
    private final long deadline;

    NamingPages(SourceContext context, Outcome why, Message.Mismatch found) {
        this.context = context;
        this.why = why;
        this.found = found;
        this.finder = new MismatchFinder(context.runner().sent(),
                context.parts().guest().memory().regions(), context.outbox()::send);
        this.deadline = context.now() + MISMATCH_NANOS;
    }

    @Override
    public SourceState state() {
        return SourceState.OWNED;
    }

    @Override
    public SourceContext context() {
        return context;
    }

    @Override
    public Phase begin() {
        finder.compare(found);
        return this;
    }

    /** Waits for the names; where the guest, which runs on, ends meanwhile, that is the end. */
    @Override
    public Phase turn(long now) {
        Optional<Outcome> gone = context.guestEnded();
        if (gone.isEmpty() && !finder.isDone() && now - deadline < 0 && context.link().isUp()) {
            return this;
        }
        context.outbox().send(new Message.Cancel(context.epoch(), ErrorCode.DIGEST_MISMATCH,
                "mismatch"));
        String named = "the image at the target differs from "
                + (context.parts().options().extras().full() ? "the guest's memory"
                        : "what was sent") + finder.describe();
        gone.ifPresent(any -> context.warn(named));
        return new Ended(context, gone.orElseGet(() ->
                Outcome.of(why.result(), why.code(), named, why.side())));
    }

    @Override
    public Phase on(Message message) {
        if (message instanceof Message.PageChecksums table) {
            finder.compare(table);
        }
        return this;
    }
}
