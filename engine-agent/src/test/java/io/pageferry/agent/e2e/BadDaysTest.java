package io.pageferry.agent.e2e;

import io.pageferry.agent.e2e.Scene.Story;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * Everything that can go wrong with the move of a real QEMU guest, one thing a day. Afterwards
 * exactly one side runs it, its own check is clean, the message says what happened, and the second
 * attempt succeeds. All days share one guest. See also {@link WhoRunsTest}, {@link SettleTest} and
 * {@link QemuTroubleTest}.
 *
 * <p>A sample of the days here, drawn by the seed of the run. All of them:
 * {@code mvn verify -pl engine-agent -am -Dtest=BadDaysTest -Dpageferry.full=true
 * -Dsurefire.failIfNoSpecifiedTests=false}; those whose names hold a word:
 * {@code -Dpageferry.day=guard}
 */
@Timeout(900)
class BadDaysTest extends WithScene {
    private static final int SAMPLE = 2;

    @TestFactory
    List<DynamicTest> everyBadDayEndsWithOneGuestAndASecondAttemptThatSucceeds() {
        Map<String, Story> all = new LinkedHashMap<>(BadDays.all());
        all.putAll(FullDisks.all());
        return chosen(all.keySet()).stream()
                .map(day -> DynamicTest.dynamicTest(day, () -> play(day, all.get(day)))).toList();
    }

    private void play(String day, Story story) throws IOException {
        long start = System.nanoTime();
        scene.play(story);
        System.out.printf("%s: %.1f s%n", day, (System.nanoTime() - start) / 1e9);
    }

    private static List<String> chosen(Set<String> days) {
        String word = System.getProperty("pageferry.day");
        return word == null ? Draw.sample(days, SAMPLE)
                : days.stream().filter(day -> day.contains(word)).toList();
    }
}
