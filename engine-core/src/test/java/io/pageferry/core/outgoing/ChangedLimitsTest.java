package io.pageferry.core.outgoing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.LimitChange;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.round.MigrationLimits.OnNoConvergence;
import io.pageferry.core.round.MigrationLimits.Policy;
import io.pageferry.core.round.MigrationLimits.Throttle;
import io.pageferry.core.round.MigrationLimits.Throttling;
import io.pageferry.core.round.StopReason;
import io.pageferry.core.round.WriteThrottle;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Limits that are changed while a migration runs. */
class ChangedLimitsTest {
    private static final long MILLI = 1_000_000L;
    private static final int MANY = 1_000;

    /** Less than the fixed cost of a switch-over, so that it never fits. */
    private static final MigrationLimits TIGHT = limits(50 * MILLI, 3600 * SourceRig.SECOND,
            OnNoConvergence.STOP_AND_COPY);

    private static MigrationLimits limits(long downtime, long timeout, OnNoConvergence then) {
        return new MigrationLimits(Policy.DOWNTIME_BUDGET, downtime, MANY, timeout, then,
                10 * SourceRig.SECOND, Bandwidth.UNLIMITED, Throttling.NONE);
    }

    private static SourceRig inPrecopy(boolean hasThrottle) {
        SourceRig rig = new SourceRig(usual -> usual.withLimits(TIGHT), UnaryOperator.identity(),
                hasThrottle).recoveryAddress(SourceState.PRECOPY);
        rig.answersBarriers = false;
        return rig;
    }

    /** Answers what is asked until the state is another one. */
    private static void leavePrecopy(SourceRig rig) {
        rig.answersBarriers = true;
        long round = rig.heard(Message.RoundEnd.class)
                ? rig.last(Message.RoundEnd.class).round() : 0;
        rig.say(new Message.RoundApplied(round));
        rig.say(new Message.RoundVerified(round));
        for (int i = 0; i < MANY && rig.source.state() == SourceState.PRECOPY; i++) {
            rig.turn();
        }
    }

    @Test
    void aLongerDowntimeEndsPrecopyAtTheNextDecision() {
        try (SourceRig rig = inPrecopy(true)) {
            rig.turns(3);
            rig.clock.advance(5 * SourceRig.SECOND);
            rig.source.limits(limits(9 * SourceRig.SECOND, 3600 * SourceRig.SECOND,
                    OnNoConvergence.STOP_AND_COPY));
            rig.turn();
            long at = rig.source.figures().limitChanges().getFirst().atNanos();
            assertTrue(at >= 5 * SourceRig.SECOND, "" + at);
            assertEquals(List.of(new LimitChange(at, "max-downtime", "50ms", "9000ms")),
                    rig.source.figures().limitChanges());
            leavePrecopy(rig);
            assertEquals(StopReason.BUDGET, rig.source.figures().stopReason().orElse(null),
                    rig.log.toString());
        }
    }

    @Test
    void aShorterTimeAndAnotherWishHoldToo() {
        try (SourceRig rig = inPrecopy(true)) {
            rig.turns(3);
            rig.clock.advance(5 * SourceRig.SECOND);
            rig.source.limits(limits(50 * MILLI, SourceRig.SECOND, OnNoConvergence.ABORT));
            leavePrecopy(rig);
            assertEquals(Result.FAILED, rig.outcome().result(), rig.log.toString());
            assertTrue(List.of(ErrorCode.DEADLINE, ErrorCode.NOT_CONVERGING)
                    .contains(rig.outcome().code()), rig.log.toString());
            assertEquals(List.of("timeout", "on-no-convergence"), rig.source.figures()
                    .limitChanges().stream().map(LimitChange::what).toList());
        }
    }

    @Test
    void aThrottleIsSetAndTakenBack() {
        try (SourceRig rig = inPrecopy(true)) {
            rig.source.limits(TIGHT.with(new Throttling(Throttle.FIXED, 30,
                    WriteThrottle.Quota.CLASSIC, 100)));
            rig.turn();
            assertEquals(30, rig.gate.percent());
            assertEquals(WriteThrottle.Quota.CLASSIC, rig.gate.quota());
            rig.source.limits(TIGHT.with(new Throttling(Throttle.AUTO, 0, null, 100)));
            rig.turn();
            assertEquals(30, rig.gate.percent());
            rig.source.limits(TIGHT);
            rig.turn();
            assertEquals(0, rig.gate.percent());
            assertNull(rig.gate.quota());
        }
    }

    @Test
    void whatCannotHoldIsRefusedAtOnce() {
        Throttling some = new Throttling(Throttle.FIXED, 30, null, 100);
        try (SourceRig rig = inPrecopy(false)) {
            assertRefused(rig, TIGHT.with(some), "throttled");
            assertRefused(rig, TIGHT.with(new Bandwidth(1, 1)), "bandwidth");
            assertRefused(rig, limits(-1, 1, OnNoConvergence.ABORT), "time");
            assertRefused(rig, TIGHT.with(new Throttling(Throttle.FIXED, 100, null, 100)), "99");
            assertRefused(rig, new MigrationLimits(Policy.KVM_CLASSIC, 1, 1, 1,
                    OnNoConvergence.ABORT, 1, Bandwidth.UNLIMITED, Throttling.NONE), "policy");
            rig.turn();
            assertEquals(List.of(), rig.source.figures().limitChanges());
        }
    }

    private static void assertRefused(SourceRig rig, MigrationLimits others, String word) {
        String why = assertThrows(IllegalArgumentException.class,
                () -> rig.source.limits(others)).getMessage();
        assertTrue(why.contains(word), why);
    }
}
