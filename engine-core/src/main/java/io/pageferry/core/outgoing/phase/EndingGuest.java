package io.pageferry.core.outgoing.phase;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.StatusQuery;
import io.pageferry.core.image.MemoryAudit;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.outgoing.session.SourceContext;
import io.pageferry.core.outgoing.session.SourceState;
import java.io.UncheckedIOException;
import java.util.Optional;

/**
 * Ends the guest here after J(DONE), and lets the target go. Before that, where it was asked for,
 * the paused guest's memory is compared with the image that the target was granted: the target owns
 * the guest whatever is found, and whatever becomes of this agent.
 */
public final class EndingGuest implements Phase {
    /**
     * The guest's first tenth of a second at the target is its own: it wakes cold, and where both
     * sides share a host, what ends here (a process, a gigabyte of mappings) would take its cores.
     * One that did not run does not wake.
     */
    public static final long QUIET_NANOS = 100_000_000;

    /** Longest wait for one answer: it is read out of a table, and 256 KiB long. */
    private static final long ANSWER_NANOS = 10_000_000_000L;

    /** 4 MiB, a millisecond, seconds from a slow disk: the link is polled between. */
    private static final int READ_A_TURN = 1024;

    private final SourceContext context;
    private final StatusQuery query;
    /** From then on. */
    private final long quietNanos;
    private final Optional<MemoryAudit> audit;
    private long heardNanos;
    private String broken;

    EndingGuest(SourceContext context, StatusQuery query, long runningNanos) {
        this.context = context;
        this.query = query;
        this.quietNanos = runningNanos + (context.ran() ? QUIET_NANOS : 0);
        this.heardNanos = quietNanos;
        this.audit = context.parts().options().audit() ? Optional.of(new MemoryAudit(
                context.parts().guest().memory(), context.runner().sent(), query::tell))
                : Optional.empty();
    }

    @Override
    public SourceState state() {
        return SourceState.DONE;
    }

    @Override
    public SourceContext context() {
        return context;
    }

    @Override
    public int poll(LinkHandler handler) {
        return query.step(context.now(), handler);
    }

    @Override
    public Phase turn(long now) {
        Granted.holdStill(context);
        if (now - quietNanos < 0 || audits(now)) {
            return this;
        }
        try {
            if (context.parts().options().endGuest()) {
                context.parts().guest().end();
            }
            context.record(JournalState.SETTLED, context.epoch(), "");
        } catch (GuestException e) {
            // Not settled: the next recovery from this journal tries to end it again.
            context.warn("the guest runs at the target, but ours could not be ended: "
                    + e.getMessage());
        }
        query.tell(new Message.Farewell(context.epoch(), context.figures().totalNanos(),
                context.figures().downtimeNanos()));
        return new Ended(context, audit.flatMap(this::found).orElse(Outcome.completed()));
    }

    private boolean audits(long now) {
        if (audit.isEmpty()) {
            return false;
        }
        int read;
        try {
            read = audit.get().step(READ_A_TURN, now);
        } catch (UncheckedIOException e) {
            // Somebody ended it here already: it runs at the target all the same.
            broken = "the guest's memory here cannot be read: " + e.getCause().getMessage();
            return false;
        }
        context.progress().worked(read);
        heardNanos = read > 0 ? now : heardNanos;
        if (now - heardNanos >= ANSWER_NANOS) {
            broken = "the target gives no checksums";
        }
        return broken == null && !audit.get().isDone();
    }

    private Optional<Outcome> found(MemoryAudit finished) {
        context.figures().audited(finished.compared(), finished.differing());
        if (!finished.isDone()) {
            context.warn("the audit ended after " + finished.compared() + " pages: " + broken);
        }
        return finished.differing() == 0 ? Optional.empty() : Optional.of(Outcome.of(
                Result.FAILED_AT_TARGET, ErrorCode.AUDIT, "the guest runs at the target, and "
                + finished.differing() + " pages of its memory here are not what was moved: "
                + finished.describe(), Side.SOURCE)
                .withRemedy("do not trust the guest at the target: start it again from what is"
                        + " stored of it, and report which tracker missed this"));
    }

    @Override
    public Phase on(Message message) {
        if (message instanceof Message.PageChecksums table && audit.isPresent()) {
            heardNanos = context.now();
            audit.get().compare(table);
        }
        return this;
    }

    /** The target answers an audit over the link of the migration alone. */
    @Override
    public Phase lost(ErrorCode code, String reason) {
        broken = reason;
        return this;
    }

    @Override
    public Phase cancel() {
        context.noteLateCancel();
        return this;
    }
}
