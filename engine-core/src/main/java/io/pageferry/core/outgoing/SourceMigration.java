package io.pageferry.core.outgoing;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.handover.MigrationFigures;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.precopy.RoundDecision;
import java.io.IOException;
import java.util.Optional;

/**
 * The source's state machine: the source rows of the tables of docs/PROTOCOL.md. A duty cycle
 * drives it: call {@link #doWork} until {@link #isDone}. It starts no thread and never waits,
 * but for the guest's own acts. One thread calls everything but {@link #cancel}.
 *
 * <p>The rule that it protects: the guest here is resumed in every state but GRANTED, and in
 * GRANTED only after the target's durable no.
 */
public final class SourceMigration implements LinkHandler, AutoCloseable {
    private final SourceContext context;
    private final SourceParts parts;
    private boolean helloSent;
    private boolean welcomed;
    private Precopy precopy;
    private Switchover switchover;
    private Handover handover;
    private Rollback rollback;
    private volatile boolean cancelled;
    private boolean cancelNoted;

    /**
     * Makes a migration that begins at the first {@link #doWork}.
     *
     * @param parts what it works with; stays the caller's
     */
    public SourceMigration(SourceParts parts) {
        this.context = new SourceContext(parts);
        this.parts = context.parts;
    }

    /**
     * Does what can be done now.
     *
     * @return how much that was; 0 when there is nothing to do at the moment
     */
    public int doWork() {
        if (isDone()) {
            return 0;
        }
        int work = 0;
        try {
            work = handover == null
                    ? parts.link().poll(this) + context.outbox.flush()
                    : handover.poll(this);
            if (cancelled && !isDone() && !context.reconnection.isAboutToBegin()) {
                takeCancel();
            }
            if (!isDone()) {
                act();
            }
        } catch (RuntimeException | VirtualMachineError e) {
            // None may leave a guest paused that is ours, a fault in a file that was cut short
            // (InternalError) neither. From the grant on nothing may be done.
            if (context.state().ordinal() >= SourceState.GRANTED.ordinal()
                    || context.reconnection.isParting()) {
                throw e;
            }
            fail(Result.BUG, ErrorCode.INTERNAL, String.valueOf(e), Side.SOURCE);
        }
        return work + context.progress.takeWork();
    }

    /** Asks for the end; from any thread. Before the grant the guest runs on here, after it not. */
    public void cancel() {
        cancelled = true;
    }

    /**
     * Ends the migration for a reason of the host's; without effect from the grant on. On the
     * migration's thread.
     *
     * @param reason why, in words
     */
    public void fail(String reason) {
        if (context.state().ordinal() < SourceState.GRANTED.ordinal()) {
            fail(Result.FAILED, ErrorCode.HOST_FAILED, reason, Side.SOURCE);
        }
    }

    /** {@return whether the migration ended} */
    public boolean isDone() {
        return context.outcome() != null;
    }

    /** {@return how it ended, or empty while it goes on} */
    public Optional<Outcome> outcome() {
        return Optional.ofNullable(context.outcome());
    }

    /** {@return the state} */
    public SourceState state() {
        return context.state();
    }

    /** {@return what was measured} */
    public MigrationFigures figures() {
        return context.figures();
    }

    /** Frees what the migration made itself. */
    @Override
    public void close() {
        context.closeLinks();
        context.runner.close();
        if (handover != null) {
            handover.close();
        }
    }

    @Override
    public void onMessage(Message message) {
        switch (message) {
            case Message any when context.reconnection.isParting() ->
                    context.reconnection.hear(any);
            case Message.Welcome welcome when context.state() == SourceState.NEGOTIATING
                    && !welcomed -> onWelcome(welcome);
            case Message.RoundApplied applied when context.progress.announced(applied.round()) ->
                    context.progress.applied(applied.round());
            case Message.RoundVerified walked when context.progress.announced(walked.round()) ->
                    context.progress.walked(walked.round());
            case Message.Ready ready -> onReady(ready);
            case Message.Mismatch found when isAwaitingReady()
                    && found.epoch() == context.epoch() -> onMismatch(found);
            case Message.PageChecksums table when rollback != null -> rollback.onTable(table);
            case Message.Running running when context.state() == SourceState.GRANTED ->
                    handover.onRunning(running);
            case Message.Refused refused -> onNo(refused.epoch(), refused.reason());
            case Message.Returned returned -> onNo(returned.epoch(), returned.reason());
            case Message.StatusUnknown unknown when context.state() == SourceState.GRANTED ->
                    context.log("the target says: " + unknown.reason());
            case Message.Cancel cancel -> onFailure(cancel.code(), cancel.reason());
            case Message.Failure failed -> onLost(failed.code(), failed.reason());
            case Message.Heartbeat heartbeat -> { }
            default -> onFailure(ErrorCode.PROTOCOL_VIOLATION, "unexpected "
                    + message.getClass().getSimpleName() + " in " + context.state());
        }
    }

    @Override
    public void onBatch(PageBatch batch) {
        onFailure(ErrorCode.PROTOCOL_VIOLATION, "the target sent pages");
    }

    @Override
    public void onLost(ErrorCode code, String reason) {
        if (!context.reconnection.canSurvive(code)) {
            onFailure(code, reason);
            return;
        }
        boolean paused = context.state() == SourceState.SWITCHOVER;
        Outcome why = Outcome.of(Result.FAILED, code, reason, Side.TARGET);
        if (paused) {
            switchover.interrupt();
            context.figures().attemptFailed();
            // The guest first; whether the target has loaded the state is asked afterwards.
            rollback = Rollback.toPrecopy(context, why);
            rollback.begin(context.epoch());
        } else {
            precopy.interrupt();
        }
        if (!isDone()) {
            context.reconnection.begin(why);
        }
    }

    private void act() {
        try {
            switch (context.state()) {
                case NEGOTIATING -> negotiate();
                case PRECOPY -> precopyTurn();
                case SWITCHOVER -> switchoverTurn();
                case GRANTED -> handover.turn();
                case OWNED -> rollback.turn();
                case DONE -> handover.endGuest();
                case ENDED -> { }
            }
        } catch (GuestException e) {
            fail(SourceContext.outcomeOf(e));
        } catch (IOException e) {
            fail(Result.FAILED, ErrorCode.HOST_FAILED, e.getMessage(), Side.SOURCE);
        }
    }

    private void negotiate() throws IOException {
        if (!helloSent) {
            helloSent = true;
            context.enter(SourceState.NEGOTIATING);
            context.outbox.send(new Message.Hello(parts.id(), 0, parts.guest().features(),
                    parts.options().channels(), parts.options().verification().ordinal(),
                    parts.guest().describe()));
        }
        if (welcomed && parts.link().channelsReady()) {
            precopy = new Precopy(parts, context.outbox, context.runner, context.progress,
                    context.throttle);
            beginPrecopy();
        } else if (context.now() - context.startNanos >= parts.options().negotiationNanos()) {
            fail(Result.REFUSED, ErrorCode.DEADLINE, "the target did not answer within "
                    + parts.options().negotiationNanos() / 1_000_000 + " ms", Side.TARGET);
        }
    }

    /** A tracker that cannot be had is a refusal: nothing has changed yet. */
    private void beginPrecopy() throws IOException {
        try {
            precopy.start();
            context.enter(SourceState.PRECOPY);
        } catch (TrackerException e) {
            fail(Result.REFUSED, ErrorCode.HOST_FAILED, e.getMessage(), Side.SOURCE);
        }
    }

    private void precopyTurn() throws IOException {
        if (context.reconnection.isParting()) {
            context.reconnection.parted().ifPresent(context::finish);
            return;
        }
        Outcome end = context.guestEnded()
                .orElseGet(() -> precopy.overdue(context.reconnection.isUnderWay()));
        if (end != null) {
            fail(end);
            return;
        }
        context.requireUnchanged();
        if (context.reconnection.isUnderWay()) {
            reconnectTurn();
            return;
        }
        switch (precopy.step()) {
            case RoundDecision.StopAndCopy stop -> beginSwitchover(stop);
            case RoundDecision.Abort abort ->
                    fail(Result.FAILED, ErrorCode.NOT_CONVERGING, abort.why(), Side.SOURCE);
            case null, default -> { }
        }
    }

    private void reconnectTurn() {
        context.throttle.turn(context.now());
        switch (context.reconnection.poll()) {
            case OVER -> fail(context.reconnection.refusal());
            case RESUMED -> precopy.goOn(switchover == null ? 0 : switchover.round());
            case TRYING -> { }
        }
    }

    private void beginSwitchover(RoundDecision.StopAndCopy stop) throws IOException {
        parts.guest().requireUnchanged();
        context.log("stop: " + stop.reason().label() + ", " + stop.why());
        context.figures().stopped(stop.reason(), precopy.prediction());
        context.beginEpoch(parts.guest().isRunning(), stop.reason().label());
        context.enter(SourceState.SWITCHOVER);
        switchover = new Switchover(parts, context.outbox, context.runner, context.progress,
                context.epoch());
        switchover.begin(precopy.round());
    }

    private void switchoverTurn() throws IOException {
        if (!pausedTooLong()) {
            switchover.step();
        }
    }

    private boolean pausedTooLong() {
        Outcome late = switchover.overdue();
        if (late != null) {
            fail(late);
        }
        return late != null;
    }

    private void onWelcome(Message.Welcome welcome) {
        Optional<String> wrong = context.reconnection.granted(welcome,
                parts.guest().features());
        wrong.ifPresent(what -> onFailure(ErrorCode.PROTOCOL_VIOLATION, what));
        welcomed = wrong.isEmpty();
        if (welcomed) {
            parts.link().openChannels(welcome);
        }
    }

    private void onReady(Message.Ready ready) {
        if (!isAwaitingReady() || ready.epoch() != context.epoch()) {
            onFailure(ErrorCode.PROTOCOL_VIOLATION,
                    "READY(" + ready.epoch() + ") in " + context.state());
            return;
        }
        long readyNanos = context.now();
        if (pausedTooLong()) {
            return;
        }
        if (!context.accepts(ready, readyNanos - switchover.pausedAt())) {
            fail(Result.FAILED, ErrorCode.DIGEST_MISMATCH,
                    "the target is ready with another image than was sent", Side.TARGET);
            return;
        }
        try {
            handover = new Handover(context, switchover.pausedAt(), readyNanos);
        } catch (IOException e) {
            fail(Result.FAILED, ErrorCode.HOST_FAILED,
                    "cannot write the journal: " + e.getMessage(), Side.SOURCE);
        }
    }

    private void onNo(long epoch, String reason) {
        if (context.state() == SourceState.GRANTED && epoch == context.epoch()) {
            rollback = new Rollback(context, Outcome.of(Result.FAILED, ErrorCode.GUEST_FAILED,
                    "the target gave the guest back: " + reason, Side.TARGET));
            rollback.begin(epoch + 1);
            handover.farewell();
        } else {
            onFailure(ErrorCode.GUEST_FAILED, reason);
        }
    }

    private boolean isAwaitingReady() {
        return context.state() == SourceState.SWITCHOVER && switchover.isComplete();
    }

    private void onMismatch(Message.Mismatch found) {
        context.digestIs(found.digest());
        rollback = new Rollback(context, Outcome.of(Result.FAILED, ErrorCode.DIGEST_MISMATCH,
                "the image at the target differs from what was sent", Side.TARGET));
        rollback.name(found);
        rollback.begin(context.epoch());
    }

    private void takeCancel() {
        switch (context.state()) {
            case GRANTED, DONE -> {
                if (!cancelNoted) {
                    cancelNoted = true;
                    context.warn("too late to cancel: the target may run the guest already; "
                            + "going on");
                }
            }
            case OWNED, ENDED -> { }
            default -> fail(Result.CANCELLED, ErrorCode.CANCELLED, "cancelled", Side.SOURCE);
        }
    }

    private void onFailure(ErrorCode code, String reason) {
        switch (context.state()) {
            case NEGOTIATING -> fail(Result.REFUSED, code, reason, Side.TARGET);
            case PRECOPY, SWITCHOVER -> fail(Result.FAILED, code, reason, Side.TARGET);
            case GRANTED -> context.warn(reason + "; asking the target what became of the guest");
            default -> { }
        }
    }

    private void fail(Result result, ErrorCode code, String reason, Side side) {
        fail(Outcome.of(result, code, reason, side));
    }

    /** Ends with the guest here; one that was paused is resumed first, at once. */
    private void fail(Outcome why) {
        if (context.reconnection.isParting()) {
            return;
        }
        boolean paused = context.state() == SourceState.SWITCHOVER;
        boolean awaited = why.result() == Result.CANCELLED && !context.reconnection.isUnderWay()
                && context.reconnection.canSurvive(ErrorCode.LINK_LOST);
        if (paused) {
            rollback = awaited ? Rollback.toPrecopy(context, why) : new Rollback(context, why);
            rollback.begin(context.epoch());
        }
        if (context.reconnection.isUnderWay()) {
            context.liftThrottle();
            context.reconnection.part(why);
            return;
        }
        context.tellTarget(why.code(), why.reason());
        if (awaited) {
            context.liftThrottle();
            context.reconnection.partOnceAnswered(why);
        } else if (!paused) {
            context.finish(why);
        }
    }
}
