package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The link of a QEMU guest is cut while it is handed over, and comes back. Afterwards exactly one
 * side runs the guest, its own check is clean, and where it stayed the second attempt succeeds.
 *
 * <p>One cut, drawn by the seed of the run. All 50:
 * {@code mvn verify -pl engine-agent -am -Dtest=CutInSwitchoverTest -Dpageferry.full=true
 * -Dsurefire.failIfNoSpecifiedTests=false}
 */
@Tag("full")
@Timeout(value = 2, unit = TimeUnit.HOURS)
class CutInSwitchoverTest extends WithFaultRig {
    private static final int CUTS = Draw.FULL ? 50 : 1;
    private static final String[] WINDOW = {"--reconnect-window", "20s"};

    @Test
    void aLinkCutInTheSwitchoverLeavesOneGuest() throws IOException {
        Random random = Draw.random();
        TreeMap<String, Integer> ends = new TreeMap<>();
        for (int done = 0; done < CUTS; done++) {
            rig.run(now -> ends.merge(cut(now, random), 1, Integer::sum));
        }
        System.out.println(CUTS + " cuts: " + ends);
    }

    /** One move; tells how it ended. */
    private static String cut(FaultRig rig, Random random) throws IOException {
        Agent target = rig.target("", WINDOW);
        try (SwitchoverCutter cable = new SwitchoverCutter(target.address(), random)) {
            Agent source = rig.source(cable, WINDOW);
            int exit = source.exit();
            String what = cable + ": " + source + "\n" + target;
            assertEquals(1, cable.cuts(), what);
            // The link comes back, so nobody stays in doubt.
            assertTrue(Set.of(0, 4).contains(exit), what);
            if (exit == 0) {
                if (source.words().contains("the audit ended after")) {
                    E2e.assertArrived(source, target);
                } else {
                    E2e.assertMoved(source, target);
                }
                rig.assertAtTarget();
            } else {
                E2e.assertEnds(4, "failed", source);
                E2e.assertEnds(4, "failed", target);
                assertTrue(target.states().contains("refused"), what);
                rig.assertAtSource();
                rig.assertTargetEnded();
            }
            String line = cable + ", exit " + exit + ", epoch "
                    + source.report().at("/owner/epoch").asInt();
            System.out.println(line);
            return cable.where() + " exit " + exit;
        }
    }
}
