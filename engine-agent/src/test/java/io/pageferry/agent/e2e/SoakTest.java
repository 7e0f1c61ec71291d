package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.SoakMove.Fate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One target process takes in guest after guest and then many at once, some of which are cancelled,
 * cut off or killed on their way: each image is right, and the process holds no more afterwards
 * than before. A sample; {@code -Dpageferry.soak=1000} has so many, and fifty at once.
 */
class SoakTest {
    private static final int SAMPLE = 20;
    private static final int IN_A_ROW = Integer.getInteger("pageferry.soak", SAMPLE);
    private static final int AT_ONCE = IN_A_ROW > SAMPLE ? 50 : 4;
    private static final int LOOKS = IN_A_ROW > SAMPLE ? 10 : 4;

    /** More than one: a killed source's slot is kept for it for a while. */
    private static final int SLOTS = 4;

    @TempDir
    private Path folder;

    private final Map<Fate, Integer> fates = new EnumMap<>(Fate.class);
    private Rig rig;
    private SoakProcess target;
    private SoakFigures figures;

    @BeforeEach
    void start() throws IOException {
        rig = new Rig(folder);
        target = SoakProcess.start(folder);
        target.resize(SLOTS);
        figures = new SoakFigures(target);
    }

    @AfterEach
    void end() throws IOException {
        rig.close();
        target.close();
    }

    @Test
    void aTargetGrowsByNothingAndEachImageIsRight() throws Exception {
        Random random = Draw.random();
        for (int i = 0; i < IN_A_ROW; i++) {
            move(SoakMove.draw(random.nextLong()));
            if ((i + 1) % (IN_A_ROW / LOOKS) == 0) {
                figures.look(i + 1 + " in a row");
            }
        }
        figures.assertNoGrowth(1, "in a row");
        // Two slots for each: a killed one's is kept for a while.
        target.resize(2 * AT_ONCE);
        atOnce(random);
        int once = figures.look(AT_ONCE + " at once");
        atOnce(random);
        figures.look(AT_ONCE + " at once, again");
        figures.assertNoGrowth(once, "at once");
        System.out.println(fates);
        for (Fate each : Fate.values()) {
            assertTrue(IN_A_ROW <= SAMPLE || each == Fate.LIED_FOR || fates.get(each) > 0,
                    () -> "none was " + each);
        }
    }

    private void atOnce(Random random) throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE)) {
            List<Future<?>> moves = new ArrayList<>();
            for (int i = 0; i < AT_ONCE; i++) {
                SoakMove one = SoakMove.draw(random.nextLong());
                moves.add(threads.submit(() -> {
                    move(one);
                    return null;
                }));
            }
            for (Future<?> one : moves) {
                one.get();
            }
        }
    }

    private void move(SoakMove move) throws IOException {
        synchronized (fates) {
            fates.merge(move.fate(), 1, Integer::sum);
        }
        if (move.fate() == Fate.KILLED) {
            kill(move);
            return;
        }
        move.assertRight(move.runInto(target, target.port(), folder.resolve("source")), target);
    }

    /** Its guest dies with it; what the target has of it by then is right, or nothing. */
    private void kill(SoakMove move) throws IOException {
        Agent source;
        synchronized (rig) {
            source = rig.start(move.killedAt(), List.of("migrate", move.guest(), "--to",
                    "127.0.0.1:" + target.port(), "--linger", "0s"));
        }
        source.awaitHold(move.killedAt());
        source.kill();
        synchronized (rig) {
            rig.end(source);
        }
    }
}
