package io.pageferry.core.outgoing.phase;

import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.MigrationFigures.Part;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.image.MemoryReader;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.flow.StateChunker;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.migration.Verification;
import io.pageferry.core.outgoing.session.Dialer;
import io.pageferry.core.outgoing.session.Progress;
import io.pageferry.core.outgoing.session.SourceContext;
import io.pageferry.core.outgoing.session.SourceParts;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.outgoing.session.Wording.Limit;
import io.pageferry.core.outgoing.session.Wording.Remedy;
import io.pageferry.core.precopy.RoundRunner;
import java.io.IOException;
import java.util.Optional;

/**
 * Sends last pages, device state and COMPLETE while the guest is paused. Saving the state can
 * dirty memory, so there is one more harvest after it; those pages go behind a barrier of their
 * own, for a page is sent at most once between two barriers.
 */
public final class Switchover implements Phase {
    private enum Stage { LAST_PAGES, SAVING, BARRIER, STATE_PAGES, SETTLING, READING, COMPLETE }

    private static final int PAGES_A_TURN = 1024;

    /** Pages read in one turn: 64 MiB, some milliseconds. */
    private static final int READ_A_TURN = 16384;

    private final SourceContext context;
    private final Dialer dialer;
    private final Precopy precopy;
    private final SourceParts parts;
    private final RoundRunner runner;
    private final Progress progress;
    private final long pauseNanos;
    private Stage stage = Stage.LAST_PAGES;
    private long round;
    private long pagesNanos;
    private StateChunker chunker;
    private MemoryReader reader;
    private long readingNanos;
    private Message.StateSum deviceState = new Message.StateSum(0, 0);

    /** Begins behind J(SWITCHOVER), with the guest running and a round number not used before. */
    Switchover(SourceContext context, Dialer dialer, Precopy precopy, long round) {
        this.context = context;
        this.dialer = dialer;
        this.precopy = precopy;
        this.round = round;
        this.parts = context.parts();
        this.runner = context.runner();
        this.progress = context.progress();
        this.pauseNanos = context.now();
    }

    @Override
    public SourceState state() {
        return SourceState.SWITCHOVER;
    }

    @Override
    public SourceContext context() {
        return context;
    }

    /** Pauses the guest and begins the last round. */
    @Override
    public Phase begin() throws GuestException {
        context.outbox().send(new Message.Switchover(context.epoch()));
        parts.guest().pause();
        pagesNanos = lap(Part.PAUSE, pauseNanos);
        runner.harvest();
        pagesNanos = lap(Part.SCAN, pagesNanos);
        runner.begin(round, true, pagesNanos);
        return this;
    }

    @Override
    public Phase turn(long now) throws IOException {
        Optional<Outcome> end = overdue(now);
        if (end.isPresent()) {
            return fail(end.get());
        }
        if (chunker != null) {
            progress.worked(chunker.pump());
        }
        switch (stage) {
            case LAST_PAGES -> encodeThen(Stage.SAVING);
            case SAVING -> save();
            case BARRIER, SETTLING -> {
                if (progress.applied() >= round && runner.isAcknowledged()) {
                    passBarrier();
                }
            }
            case STATE_PAGES -> encodeThen(Stage.SETTLING);
            case READING -> read();
            case COMPLETE -> { }
        }
        return this;
    }

    private Optional<Outcome> overdue(long now) {
        if (parts.guest().resumedExternally()) {
            // What it does now is not in the pages that were sent.
            return Optional.of(Outcome.of(Result.FAILED, ErrorCode.GUEST_FAILED,
                    "somebody let the guest go on while it was paused for the move", Side.SOURCE)
                    .withRemedy("leave its other monitors alone, and move again"));
        }
        boolean cold = parts.options().cold();
        long limit = cold ? context.limits().now().timeoutNanos()
                : context.limits().now().maxSwitchoverNanos();
        return now - pauseNanos < limit ? Optional.empty() : Optional.of(Outcome.of(
                Result.FAILED, ErrorCode.DEADLINE,
                "the pause was longer than "
                + context.name(cold ? Limit.TIMEOUT : Limit.MAX_SWITCHOVER) + " "
                + limit / 1_000_000 + " ms",
                Side.SOURCE).withRemedy(context.advice(Remedy.EASE_LIMITS)));
    }

    private void encodeThen(Stage next) {
        progress.worked(runner.step(PAGES_A_TURN));
        if (runner.isEncoded()) {
            context.sendBarrier(round);
            stage = next;
        }
    }

    private void save() throws IOException {
        long before = context.now();
        chunker = new StateChunker(context.outbox(), runner.limiter(), context.epoch());
        parts.guest().saveState(chunker);
        deviceState = chunker.finish();
        progress.figures().deviceState(deviceState.length());
        long scanning = lap(Part.STATE_SAVE, before);
        // Once, and here: nothing opens a hole behind this. To walk the data of a resident guest
        // costs 8 ms a GiB, so a second walk before the state would be downtime for nothing.
        long dirtied = runner.harvestPaused();
        lap(Part.SCAN, scanning);
        stage = dirtied == 0 ? Stage.SETTLING : Stage.BARRIER;
    }

    /** Goes on with one more round: of what saving dirtied, or of what arrived damaged. */
    private void passBarrier() throws GuestException {
        if (stage == Stage.BARRIER || runner.isDirty()) {
            endRound();
            runner.begin(++round, true, context.now());
            stage = Stage.STATE_PAGES;
        } else if (chunker.isSent()) {
            settle();
        }
    }

    private void settle() throws GuestException {
        endRound();
        readingNanos = lap(Part.LAST_PAGES, pagesNanos);
        if (parts.options().verification() == Verification.FULL) {
            reader = new MemoryReader(parts.guest().memory(), runner.sent());
            stage = Stage.READING;
        } else {
            complete();
        }
    }

    private void read() throws GuestException {
        progress.worked(reader.step(READ_A_TURN));
        if (reader.isDone()) {
            lap(Part.VERIFY, readingNanos);
            complete();
        }
    }

    private void complete() throws GuestException {
        // What was checked while it ran may have changed between that and the pause.
        parts.guest().requireUnchangedPaused();
        long left = runner.left();
        if (left != 0) {
            throw new IllegalStateException(left + " pages are still owed at the end");
        }
        context.outbox().send(new Message.Complete(context.epoch(), runner.sent().digest(), left,
                context.link().pages().lastSequences(), deviceState));
        stage = Stage.COMPLETE;
    }

    private void endRound() {
        context.publish(runner.finish(context.now()));
    }

    private long lap(Part part, long since) {
        long now = context.now();
        progress.figures().add(part, now - since);
        return now;
    }

    @Override
    public Phase on(Message message) {
        return switch (message) {
            case Message.Ready ready when isAnswer(ready.epoch()) -> ready(ready);
            case Message.Mismatch found when isAnswer(found.epoch()) -> mismatch(found);
            default -> Phase.super.on(message);
        };
    }

    /** Whether COMPLETE was sent, and a verdict is of this attempt. */
    private boolean isAnswer(long epoch) {
        return stage == Stage.COMPLETE && epoch == context.epoch();
    }

    private Phase ready(Message.Ready ready) {
        long now = context.now();
        Optional<Outcome> late = overdue(now);
        if (late.isPresent()) {
            return fail(late.get());
        }
        if (!context.accepts(ready, now - pauseNanos)) {
            return targetFailed(ErrorCode.DIGEST_MISMATCH,
                    "the target is ready with another image than was sent");
        }
        try {
            parts.guest().keepPaused();
            parts.journal().write(new JournalRecord(JournalState.GRANTED, context.epoch(),
                    context.ran(), ""));
        } catch (GuestException e) {
            return fail(Outcome.of(Result.FAILED, e.code(), e.getMessage(), Side.SOURCE)
                    .withRemedy(e.remedy()).causedBy(e));
        } catch (IOException e) {
            // Nothing was granted: the record may not be durable.
            return fail(Outcome.of(Result.FAILED, ErrorCode.HOST_FAILED,
                    "cannot write the journal: " + e.getMessage(), Side.SOURCE).causedBy(e));
        }
        context.figures().owner(Owner.UNKNOWN, context.epoch());
        return new Granted(context, pauseNanos, now);
    }

    private Phase mismatch(Message.Mismatch found) {
        context.digestIs(found.digest());
        return RollingBack.toNamedPages(context, Outcome.of(Result.FAILED,
                ErrorCode.DIGEST_MISMATCH, "the image at the target differs from what was sent",
                Side.TARGET), found);
    }

    /** Resumes the guest first; whether the target has loaded the state is asked afterwards. */
    @Override
    public Phase lost(ErrorCode code, String reason) {
        if (!context.survives(code)) {
            return targetFailed(code, reason);
        }
        if (stage != Stage.COMPLETE && stage != Stage.READING) {
            progress.figures().interrupted(runner.finish(context.now()));
        }
        context.figures().attemptFailed();
        Reconnecting.Loss loss = new Reconnecting.Loss(code, reason, context.now(), round);
        return RollingBack.toPrecopy(context, loss.outcome(), () -> { },
                () -> new Reconnecting(context, dialer, precopy, loss));
    }

    @Override
    public Phase fail(Outcome why) {
        Runnable tell = () -> context.tellTarget(why);
        return why.result() == Result.CANCELLED && context.survives(ErrorCode.LINK_LOST)
                ? RollingBack.toPrecopy(context, why, tell,
                        () -> new AwaitingAnswer(context, dialer, why))
                : RollingBack.toTheEnd(context, context.epoch(), why, tell);
    }

    /** Ends at once, but for a link that is lost and about to be replaced. */
    @Override
    public Phase cancel() {
        return context.isLossAhead() ? this : Phase.super.cancel();
    }
}
