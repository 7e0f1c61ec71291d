package io.pageferry.core.outgoing;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.flow.Outbox;
import io.pageferry.core.migration.MigrationListener.Level;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.precopy.ConvergenceController;
import io.pageferry.core.precopy.DowntimePrediction;
import io.pageferry.core.precopy.GuestThrottle;
import io.pageferry.core.precopy.RoundDecision;
import io.pageferry.core.precopy.RoundRunner;
import io.pageferry.core.round.RoundStats;
import io.pageferry.core.round.StopReason;
import java.io.IOException;

/**
 * The rounds while the guest runs: encode, barrier, decide. Says when to stop; the pause itself is
 * {@link Switchover}'s. A stop is only final once the target's walker has read back the round
 * before it, so that reading back a whole guest never falls into the downtime.
 */
final class Precopy {
    /** Pages encoded in one turn: a few frames, so that messages are not kept waiting. */
    private static final int PAGES_A_TURN = 256;

    private enum Phase { STORAGE, ENCODING, BARRIER, WALKING }

    private final SourceParts parts;
    private final Outbox outbox;
    private final RoundRunner runner;
    private final Progress progress;
    private final GuestThrottle throttle;
    private Phase phase = Phase.ENCODING;
    private long startNanos;
    private long barrierNanos;
    private long round;
    private boolean cutShort;
    private DowntimePrediction prediction;

    Precopy(SourceParts parts, Outbox outbox, RoundRunner runner, Progress progress,
            GuestThrottle throttle) {
        this.parts = parts;
        this.outbox = outbox;
        this.runner = runner;
        this.progress = progress;
        this.throttle = throttle;
    }

    /** Begins, with round 0 where there is no disk to wait for. */
    void start() throws IOException {
        startNanos = parts.clock().nanoTime();
        phase = Phase.STORAGE;
        awaitStorage();
        if (phase == Phase.STORAGE) {
            parts.listener().log(Level.INFO, "the disks are being copied; the rounds begin when"
                    + " they are at the target");
        }
    }

    /** Arms the tracker and begins round 0 once the disks are at the target. */
    private void awaitStorage() throws IOException {
        if (!parts.guest().storageReady()) {
            return;
        }
        phase = Phase.ENCODING;
        long now = parts.clock().nanoTime();
        runner.start(parts.link().pages());
        runner.begin(0, false, now);
        throttle.start(now);
    }

    /** The link is lost: the round under way will not end. */
    void interrupt() {
        if (phase != Phase.WALKING) {
            progress.figures().interrupted(runner.finish(parts.clock().nanoTime())
                    .withStolen(throttle.stolenOfRound()));
        }
    }

    /**
     * Goes on over a new link, with a new round: a number is never used twice, so nothing that
     * was said of an old one can be taken for the new one.
     *
     * @param lastRound the highest round begun by anybody
     */
    void goOn(long lastRound) {
        round = Math.max(round, lastRound);
        throttle.goOn();
        scan();
        nextRound(parts.clock().nanoTime());
    }

    /** The highest round begun, -1 where the guest is paused before the first. */
    long round() {
        return parts.options().cold() ? -1 : round;
    }

    /** What the last decision believed. */
    DowntimePrediction prediction() {
        return prediction;
    }

    /** Why time ends it now, or null: there is nothing to decide on, or nobody to go to. */
    Outcome overdue(boolean linkLost) {
        if (!timeIsUp()) {
            return null;
        }
        if (linkLost) {
            return late("--timeout is over while the link is lost", Side.TARGET);
        }
        if (phase == Phase.STORAGE) {
            return late("--timeout was over before the disks were at the target", Side.SOURCE);
        }
        if (progress.figures().rounds().isEmpty()) {
            return late("--timeout was over before round 0 had ended", Side.SOURCE);
        }
        return isForsaken()
                ? late("--timeout is over and the target does not answer", Side.TARGET) : null;
    }

    private static Outcome late(String reason, Side side) {
        return Outcome.of(Result.FAILED, ErrorCode.DEADLINE, reason, side);
    }

    /** Whether time is up and the target has not answered a barrier for long. */
    private boolean isForsaken() {
        return phase != Phase.ENCODING && parts.clock().nanoTime() - startNanos
                - parts.options().limits().timeoutNanos() >= parts.options().negotiationNanos();
    }

    /** Does what can be done; returns a final decision (stop or abort), or null to go on. */
    RoundDecision step() throws IOException {
        if (phase == Phase.STORAGE) {
            awaitStorage();
            return null;
        }
        if (parts.options().cold()) {
            return new RoundDecision.StopAndCopy(StopReason.COLD, "the guest is moved paused");
        }
        throttle.turn(parts.clock().nanoTime());
        switch (phase) {
            case STORAGE -> { }
            case ENCODING -> encode();
            case BARRIER -> {
                if (progress.applied() >= round && runner.isAcknowledged()) {
                    return endRound();
                }
            }
            case WALKING -> {
                if (progress.walked() >= round) {
                    return decide(scan());
                }
            }
        }
        return null;
    }

    private void encode() {
        progress.worked(runner.step(PAGES_A_TURN));
        if (timeIsUp() && round > 0 && !cutShort) {
            cutShort = true;
            runner.cutShort();
        }
        parts.listener().progress(round, runner.counter().handled(), runner.counter().dirtyPages());
        if (cutShort || runner.isEncoded()) {
            progress.announce(round);
            outbox.send(new Message.RoundEnd(round, parts.link().pages().lastSequences()));
            barrierNanos = parts.clock().nanoTime();
            phase = Phase.BARRIER;
        }
    }

    private RoundDecision endRound() {
        long now = parts.clock().nanoTime();
        RoundStats stats = runner.finish(now);
        progress.roundTrip(now - barrierNanos);
        long dirty = scan();
        RoundStats whole = stats.withNewlyDirty(dirty)
                .withStolen(throttle.stolenOfRound());
        progress.figures().add(whole);
        parts.listener().round(whole);
        return decide(dirty);
    }

    private long scan() {
        long before = parts.clock().nanoTime();
        long dirty = runner.harvest();
        progress.scanTook(parts.clock().nanoTime() - before);
        return dirty;
    }

    private RoundDecision decide(long dirty) {
        long now = parts.clock().nanoTime();
        prediction = DowntimePrediction.of(progress.figures().rounds(), dirty,
                progress.fixedCost(parts.options().handoverCost()),
                parts.options().limits().bandwidth().switchoverBytesPerSecond());
        RoundDecision decision = ConvergenceController.decide(
                new ConvergenceController.Situation(progress.figures().rounds(), dirty,
                        now - startNanos, prediction, throttle.percent(),
                        throttle.stolenNanos()),
                parts.options().limits());
        if (decision instanceof RoundDecision.Abort) {
            return decision;
        }
        if (decision instanceof RoundDecision.Throttle change) {
            throttle.set(change.percent());
            parts.listener().log(Level.INFO, "throttle: " + change.percent() + " %, "
                    + change.why());
        }
        if (!(decision instanceof RoundDecision.StopAndCopy)) {
            nextRound(now);
            return null;
        }
        if (parts.options().verification().isAsked() && progress.walked() < round) {
            phase = Phase.WALKING;
            return null;
        }
        return decision;
    }

    private boolean timeIsUp() {
        return parts.clock().nanoTime() - startNanos >= parts.options().limits().timeoutNanos();
    }

    private void nextRound(long now) {
        round++;
        cutShort = false;
        runner.begin(round, false, now);
        phase = Phase.ENCODING;
    }
}
