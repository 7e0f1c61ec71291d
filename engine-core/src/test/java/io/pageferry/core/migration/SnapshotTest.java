package io.pageferry.core.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.round.RoundStats;
import io.pageferry.core.testing.Harness;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A snapshot says, to any thread, where a migration is. */
class SnapshotTest {
    private static final int SEEDS = 50;

    @Test
    void eachFollowsFromTheOneBefore() {
        for (long seed = 0; seed < SEEDS; seed++) {
            try (Harness harness = new Harness(seed)) {
                harness.run();
                String what = "seed " + seed + ": ";
                List<MigrationSnapshot> seen = harness.sourceListener().snapshots();
                for (int i = 1; i < seen.size(); i++) {
                    MigrationSnapshot before = seen.get(i - 1);
                    MigrationSnapshot now = seen.get(i);
                    boolean sameRound = now.round() == before.round();
                    assertTrue(now.round() >= before.round() && now.epoch() >= before.epoch()
                            && now.wireBytes() >= before.wireBytes()
                            && now.verifiedRound() >= before.verifiedRound()
                            && now.verifiedRound() <= now.round()
                            && (!sameRound || now.handledPages() >= before.handledPages())
                            && (!sameRound || now.dirtyPages() == before.dirtyPages()),
                            () -> what + before + " then " + now);
                }
                MigrationSnapshot first = seen.getFirst();
                assertEquals(-1, first.round(), what + first);
                assertEquals(0, first.leftPages(), what + first);
            }
        }
    }

    @Test
    void theLastOneIsWhatTheReportSays() {
        try (Harness harness = new Harness(1)) {
            harness.run();
            MigrationSnapshot source = onAnotherThread(harness);
            List<RoundStats> rounds = harness.source().figures().rounds();
            assertEquals(SourceState.ENDED.label(), source.state());
            assertEquals(harness.source().figures().wireBytes(), source.wireBytes());
            assertEquals(rounds.getLast().round(), source.round());
            assertEquals(rounds.getLast().dirtyPages(), source.dirtyPages());
            assertEquals(0, source.leftPages());
            assertEquals(harness.source().figures().prediction().orElseThrow().p95Nanos(),
                    source.predictedNanos());
            assertEquals(harness.source().figures().prediction().orElseThrow().p50Nanos(),
                    source.predictedMedianNanos());
            MigrationSnapshot target = harness.target().snapshot();
            assertEquals(harness.target().state().label(), target.state());
            assertEquals(source.epoch(), target.epoch());
            assertEquals(harness.target().figures().wireBytes(), target.wireBytes());
        }
    }

    private static MigrationSnapshot onAnotherThread(Harness harness) {
        return CompletableFuture.supplyAsync(() -> harness.source().snapshot()).join();
    }
}
