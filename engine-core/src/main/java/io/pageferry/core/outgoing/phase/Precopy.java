package io.pageferry.core.outgoing.phase;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.outgoing.session.Dialer;
import io.pageferry.core.outgoing.session.Progress;
import io.pageferry.core.outgoing.session.SourceContext;
import io.pageferry.core.outgoing.session.SourceParts;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.outgoing.session.Wording.Limit;
import io.pageferry.core.outgoing.session.Wording.Remedy;
import io.pageferry.core.precopy.ConvergenceController;
import io.pageferry.core.precopy.DowntimePrediction;
import io.pageferry.core.precopy.GuestThrottle;
import io.pageferry.core.precopy.RoundDecision;
import io.pageferry.core.precopy.RoundRunner;
import io.pageferry.core.round.RoundStats;
import io.pageferry.core.round.StopReason;
import java.io.IOException;
import java.util.Optional;

/**
 * Sends rounds while the guest runs: encode, barrier, decide. A stop is only final once the
 * target's walker has read back the round before it, so that reading back a whole guest never
 * falls into the downtime.
 */
public final class Precopy implements Phase {
    /** Pages encoded in one turn: a few frames, so that messages are not kept waiting. */
    private static final int PAGES_A_TURN = 256;

    private enum Stage { STORAGE, ENCODING, BARRIER, VERIFYING, PREPARING }

    private final SourceContext context;
    private final Dialer dialer;
    private final SourceParts parts;
    private final RoundRunner runner;
    private final Progress progress;
    private final GuestThrottle throttle;
    private final long startNanos;
    private Stage stage = Stage.STORAGE;
    private long barrierNanos;
    private long round;
    private boolean cutShort;
    private DowntimePrediction prediction;

    private Precopy(SourceContext context, Dialer dialer) {
        this.context = context;
        this.dialer = dialer;
        this.parts = context.parts();
        this.runner = context.runner();
        this.progress = context.progress();
        this.throttle = context.throttle();
        this.startNanos = context.now();
    }

    /**
     * Begins, with round 0 where there is no disk to wait for.
     *
     * @param dialer opens further links of the session
     */
    static Precopy start(SourceContext context, Dialer dialer) throws IOException {
        Precopy precopy = new Precopy(context, dialer);
        precopy.tellAccess();
        precopy.awaitStorage();
        if (precopy.stage == Stage.STORAGE) {
            context.log("the disks are being copied; the rounds begin when they are at the"
                    + " target");
        }
        return precopy;
    }

    private void tellAccess() {
        parts.guest().memoryAccess().map(Message.MemoryAccess::new)
                .ifPresent(context.outbox()::send);
    }

    @Override
    public SourceState state() {
        return SourceState.PRECOPY;
    }

    @Override
    public SourceContext context() {
        return context;
    }

    /** Arms the tracker and begins round 0 once the disks are at the target. */
    private void awaitStorage() throws IOException {
        if (!parts.guest().storageReady()) {
            return;
        }
        stage = Stage.ENCODING;
        long now = context.now();
        runner.start(context.link().pages());
        runner.begin(0, false, now);
        throttle.start(now);
    }

    /**
     * Goes on over a new link, with a new round: a number is never used twice, so no message about
     * an old round can be taken for one about the new round.
     *
     * @param lastRound the highest round begun by any phase
     */
    Phase goOn(long lastRound) {
        tellAccess();
        round = Math.max(round, lastRound);
        throttle.goOn();
        scan();
        nextRound(context.now());
        return this;
    }

    @Override
    public Phase turn(long now) throws IOException {
        Optional<Outcome> end = context.guestEnded().or(this::overdue);
        if (end.isPresent()) {
            return fail(end.get());
        }
        context.requireUnchanged();
        if (stage == Stage.STORAGE) {
            awaitStorage();
            return this;
        }
        if (parts.options().cold()) {
            if (!parts.warm().getAsBoolean()) {
                return this;
            }
            // No round begins before the pause.
            return stop(new RoundDecision.StopAndCopy(StopReason.COLD,
                    "the guest is moved paused"), -1);
        }
        throttle.turn(now);
        switch (stage) {
            case STORAGE -> { }
            case ENCODING -> encode();
            case BARRIER -> {
                if (progress.applied() >= round && runner.isAcknowledged()) {
                    return endRound();
                }
            }
            case VERIFYING -> {
                if (mayPause()) {
                    return decide(scan());
                }
            }
            case PREPARING -> {
                if (parts.guest().readyToPause()) {
                    // What was written for that is not in the downtime.
                    scan();
                    nextRound(now);
                }
            }
        }
        return this;
    }

    /** Returns why time ends it now: there is nothing to decide on, or no target to go to. */
    private Optional<Outcome> overdue() {
        if (!timeIsUp()) {
            return Optional.empty();
        }
        if (stage == Stage.STORAGE) {
            return late("was over before the disks were at the target", Side.SOURCE);
        }
        if (progress.figures().rounds().isEmpty()) {
            return late("was over before round 0 had ended", Side.SOURCE);
        }
        return isForsaken()
                ? late("is over and the target does not answer", Side.TARGET)
                : Optional.empty();
    }

    /** Returns why time ends it while there is no link. */
    Optional<Outcome> overdueWithoutLink() {
        return timeIsUp() ? late("is over while the link is lost", Side.TARGET)
                : Optional.empty();
    }

    private Optional<Outcome> late(String reason, Side side) {
        Outcome late = Outcome.of(Result.FAILED, ErrorCode.DEADLINE,
                context.name(Limit.TIMEOUT) + " " + reason, side);
        return Optional.of(side == Side.TARGET ? late
                : late.withRemedy(context.advice(Remedy.EASE_LIMITS)));
    }

    /** Whether time is up and the target has not answered a barrier for long. */
    private boolean isForsaken() {
        return stage != Stage.ENCODING && context.now() - startNanos
                - context.limits().now().timeoutNanos() >= parts.options().negotiationNanos();
    }

    private boolean timeIsUp() {
        return context.now() - startNanos >= context.limits().now().timeoutNanos();
    }

    private void encode() {
        progress.worked(runner.step(PAGES_A_TURN));
        if (timeIsUp() && round > 0 && !cutShort) {
            cutShort = true;
            runner.cutShort();
        }
        if (runner.isEncoded()) {
            context.sendBarrier(round);
            barrierNanos = context.now();
            stage = Stage.BARRIER;
        }
    }

    private Phase endRound() throws IOException {
        long now = context.now();
        RoundStats stats = runner.finish(now);
        progress.roundTrip(now - barrierNanos);
        long dirty = scan();
        RoundStats whole = stats.withNewlyDirty(dirty)
                .withStolen(throttle.stolenOfRound());
        context.publish(whole);
        return decide(dirty);
    }

    private long scan() {
        long before = context.now();
        long dirty = runner.harvest();
        progress.scanTook(context.now() - before);
        return dirty;
    }

    private Phase decide(long dirty) throws IOException {
        long now = context.now();
        prediction = DowntimePrediction.of(progress.figures().rounds(), dirty,
                progress.fixedCost(parts.options().handoverCost()),
                context.limits().now().bandwidth().switchoverBytesPerSecond());
        progress.predicted(prediction);
        switch (ConvergenceController.decide(
                new ConvergenceController.Situation(progress.figures().rounds(), dirty,
                        now - startNanos, prediction, throttle.percent(),
                        throttle.stolenNanos()),
                context.limits().now())) {
            case RoundDecision.Abort abort -> {
                return notConverging(abort.why());
            }
            case RoundDecision.PauseTooLong pause -> {
                return notConverging("a stop-and-copy would take "
                        + pause.predictedNanos() / 1_000_000 + " ms, longer than "
                        + context.name(Limit.MAX_SWITCHOVER) + " "
                        + pause.allowedNanos() / 1_000_000 + " ms");
            }
            case RoundDecision.StopAndCopy stop -> {
                if (!mayPause()) {
                    stage = Stage.VERIFYING;
                } else if (!parts.guest().readyToPause()) {
                    stage = Stage.PREPARING;
                } else {
                    return stop(stop, round);
                }
            }
            case RoundDecision.Throttle change -> {
                throttle.set(change.percent());
                context.log("throttle: " + change.percent() + " %, " + change.why());
                nextRound(now);
            }
            case RoundDecision.Continue next -> nextRound(now);
        }
        return this;
    }

    /** Whether the round is read back at the target, where that is asked for, and we are warm. */
    private boolean mayPause() {
        return parts.warm().getAsBoolean()
                && (!parts.options().verification().isAsked() || progress.walked() >= round);
    }

    private Phase notConverging(String reason) {
        return fail(Outcome.of(Result.FAILED, ErrorCode.NOT_CONVERGING, reason, Side.SOURCE)
                .withRemedy(context.advice(Remedy.EASE_LIMITS)));
    }

    private void nextRound(long now) {
        round++;
        cutShort = false;
        runner.begin(round, false, now);
        stage = Stage.ENCODING;
    }

    /** Decides for the pause, behind J(SWITCHOVER): nothing was changed when that fails. */
    private Phase stop(RoundDecision.StopAndCopy stop, long lastRound) throws IOException {
        parts.guest().requireUnchanged();
        context.log("stop: " + stop.reason().label() + ", " + stop.why());
        context.figures().stopped(stop.reason(), prediction);
        context.beginEpoch(parts.guest().isRunning(), stop.reason().label());
        return new Switchover(context, dialer, this, lastRound + 1);
    }

    @Override
    public Phase lost(ErrorCode code, String reason) {
        if (!context.survives(code)) {
            return targetFailed(code, reason);
        }
        if (stage != Stage.VERIFYING && stage != Stage.PREPARING) {
            progress.figures().interrupted(runner.finish(context.now())
                    .withStolen(throttle.stolenOfRound()));
        }
        return new Reconnecting(context, dialer, this,
                new Reconnecting.Loss(code, reason, context.now(), 0));
    }

    @Override
    public Phase fail(Outcome why) {
        context.tellTarget(why);
        return why.result() == Result.CANCELLED && context.survives(ErrorCode.LINK_LOST)
                ? new AwaitingAnswer(context, dialer, why) : Ended.settled(context, why);
    }

    /** Ends at once, but for a link that is lost and about to be replaced. */
    @Override
    public Phase cancel() {
        return context.isLossAhead() ? this : Phase.super.cancel();
    }
}
