package io.pageferry.core.precopy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.precopy.DowntimePrediction.Fixed;
import io.pageferry.core.round.PagesByCodec;
import io.pageferry.core.round.RoundStats;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;

/** The predicted downtime, from tables of numbers and by its properties. */
class DowntimePredictionTest {
    private static final long SECOND = 1_000_000_000L;
    private static final Fixed NOTHING = new Fixed(0, 0);

    @Example
    void nothingLeftCostsWhatIsFixed() {
        assertEquals(new DowntimePrediction(20, 60),
                DowntimePrediction.of(List.of(), 0, new Fixed(20, 60)));
        assertEquals(new DowntimePrediction(20, 60), DowntimePrediction.of(
                List.of(round(1000, 4_000_000, SECOND)), 0, new Fixed(20, 60)));
    }

    @Example
    void anUnknownLinkIsTakenForASlowOne() {
        // 3125 raw pages of 4113 bytes at 12.5 MB/s.
        DowntimePrediction prediction = DowntimePrediction.of(List.of(), 3125, NOTHING);
        assertEquals(1_028_250_000L, prediction.p50Nanos());
        assertEquals(prediction.p50Nanos(), prediction.p95Nanos());
    }

    @Example
    void aRoundTellsRateAndSize() {
        // 1000 pages of 2000 bytes in 0.1 s are 20 MB/s; 500 more take 50 ms.
        DowntimePrediction prediction = DowntimePrediction.of(
                List.of(round(1000, 2_000_000, SECOND / 10)), 500, NOTHING);
        assertEquals(new DowntimePrediction(50_000_000L, 50_000_000L), prediction);
    }

    @Example
    void aRoundOfLessThanAPacketTellsTheSizeOnly() {
        // 524287 bytes: one less than tells. At its 1 s the rate would be 24 times slower.
        DowntimePrediction small = DowntimePrediction.of(
                List.of(round(128, 524_287, SECOND)), 128, NOTHING);
        assertEquals(41_942_960L, small.p50Nanos());
        DowntimePrediction telling = DowntimePrediction.of(
                List.of(round(128, 524_288, SECOND)), 128, NOTHING);
        assertEquals(SECOND, telling.p50Nanos());
    }

    @Example
    void theMedianIsTypicalAndTheOtherTheWorst() {
        // Four rounds at 40 MB/s and one at 4 MB/s, all of 4000 bytes a page.
        List<RoundStats> rounds = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            rounds.add(round(1000, 4_000_000, i == 2 ? SECOND : SECOND / 10));
        }
        assertEquals(new DowntimePrediction(100_000_000L, SECOND),
                DowntimePrediction.of(rounds, 1000, NOTHING));
    }

    @Example
    void aRoundThatSentNothingTellsNothing() {
        List<RoundStats> rounds = List.of(round(1000, 2_000_000, SECOND / 10), round(0, 0, 5));
        assertEquals(50_000_000L, DowntimePrediction.of(rounds, 500, NOTHING).p95Nanos());
    }

    @Example
    void aMeasuredCostCountsTwiceOnTheSafeSide() {
        assertEquals(new Fixed(25, 70), new Fixed(20, 60).plus(5));
    }

    @Property(tries = 500)
    void theSlowQuantileIsNeverBelowTheMedianAndMorePagesNeverTakeLess(
            @ForAll @Size(max = 30) List<@IntRange(min = 1, max = 100_000) Integer> pages,
            @ForAll @LongRange(min = 1, max = SECOND) long nanos,
            @ForAll @LongRange(min = 0, max = 1_000_000) long remaining) {
        List<RoundStats> rounds = new ArrayList<>();
        for (int count : pages) {
            rounds.add(round(count, count * (1L + count % 4105), nanos + count));
        }
        DowntimePrediction some = DowntimePrediction.of(rounds, remaining, new Fixed(1, 2));
        DowntimePrediction more = DowntimePrediction.of(rounds, remaining + 1, new Fixed(1, 2));
        assertTrue(some.p95Nanos() > some.p50Nanos() && some.p50Nanos() >= 1, some.toString());
        assertTrue(more.p50Nanos() >= some.p50Nanos() && more.p95Nanos() >= some.p95Nanos());
    }

    private static RoundStats round(long sent, long wireBytes, long nanos) {
        return new RoundStats(0, false, sent,
                new PagesByCodec(0, sent, 0, 0, 0), 0, wireBytes, nanos, 0, 0);
    }
}
