package io.pageferry.core.outgoing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.precopy.GuestThrottle;
import io.pageferry.core.round.MigrationLimits.Throttle;
import io.pageferry.core.round.MigrationLimits.Throttling;
import io.pageferry.core.round.WriteThrottle.Quota;
import io.pageferry.core.testing.ManualClock;
import io.pageferry.core.testing.TestGate;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** A throttle holds for pre-copy, within its bound, and is undone on every end. */
class ThrottleTest {
    private static final Throttling HALF = new Throttling(Throttle.FIXED, 50, Quota.CLASSIC, 100);
    private static final long SECOND = SourceRig.SECOND;

    @Test
    void itHoldsWhileTheGuestRunsAndIsUndoneOnEveryEnd() {
        List<Consumer<SourceRig>> ends = List.of(
                rig -> rig.source.cancel(),
                rig -> rig.source.fail("the host says so"),
                rig -> rig.say(new Message.Cancel(0, ErrorCode.CANCELLED, "the target says so")),
                rig -> rig.say(new Message.Grant(1, true)),
                rig -> rig.guest.crash("a crash"));
        for (int i = 0; i < ends.size(); i++) {
            try (SourceRig rig = throttled(HALF)) {
                rig.recoveryAddress(SourceState.PRECOPY);
                assertEquals(50, rig.gate.percent());
                assertEquals(Quota.CLASSIC, rig.gate.quota());
                rig.clock.advance(2 * SECOND);
                ends.get(i).accept(rig);
                rig.turns(2);
                assertTrue(rig.source.isDone(), "end " + i + ": " + rig.log);
                assertOpen(rig.gate);
                assertEquals(50, rig.source.figures().maxThrottlePercent());
                assertEquals(50, rig.source.figures().slowdownPercent(), 0.1);
                assertEquals(SECOND, rig.source.figures().stolenNanos());
            }
        }
    }

    @Test
    void itIsUndoneBeforeThePauseEnds() {
        try (SourceRig rig = throttled(HALF)) {
            rig.recoveryAddress(SourceState.SWITCHOVER);
            assertOpen(rig.gate);
            rig.source.cancel();
            rig.turns(2);
            assertTrue(rig.guest.isRunning());
            assertOpen(rig.gate);
        }
    }

    @Test
    void nothingIsDoneWhereNothingWasAsked() {
        try (SourceRig rig = throttled(Throttling.NONE)) {
            rig.recoveryAddress(SourceState.PRECOPY);
            assertOpen(rig.gate);
            rig.clock.advance(SECOND);
            rig.source.cancel();
            rig.turns(2);
            assertEquals(0, rig.source.figures().slowdownPercent());
        }
    }

    @Test
    void itNeverTakesMoreThanItsShareOfTheMove() {
        ManualClock clock = new ManualClock(0);
        TestGate gate = new TestGate(clock);
        GuestThrottle throttle = new GuestThrottle(Optional.of(gate),
                new Throttling(Throttle.FIXED, 80, Quota.CLASSIC, 20));
        throttle.start(clock.nanoTime());
        int held = 0;
        for (int ms = 1; ms <= 10_000; ms++) {
            clock.advance(SECOND / 1_000);
            throttle.turn(clock.nanoTime());
            held += gate.percent() > 0 ? 1 : 0;
            assertEquals(gate.percent() > 0, gate.quota() != null);
            assertTrue(throttle.stolenNanos() <= 0.2 * clock.nanoTime() + SECOND / 1_000,
                    "after " + ms + " ms " + throttle.stolenNanos());
        }
        assertTrue(held > 1_000 && held < 4_000, held + " ms held");
        throttle.lift(clock.nanoTime());
        assertOpen(gate);
        assertEquals(0.2, (double) throttle.stolenNanos() / throttle.lastedNanos(), 0.005);
    }

    private static void assertOpen(TestGate gate) {
        assertEquals(0, gate.percent());
        assertNull(gate.quota());
    }

    private static SourceRig throttled(Throttling throttling) {
        return new SourceRig(usual -> new SourceOptions(usual.limits().with(throttling),
                usual.codec(), usual.channels(), usual.verify(), usual.negotiationNanos(),
                usual.settleNanos(), usual.endGuest(), usual.handoverCost(),
                usual.reconnectNanos(), usual.extras()),
                UnaryOperator.identity());
    }
}
