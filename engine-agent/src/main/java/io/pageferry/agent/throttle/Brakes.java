package io.pageferry.agent.throttle;

import io.pageferry.agent.cgroup.Hierarchy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which means can hold a process's threads here, the best first: a quota of cgroup v2, of v1, and
 * a duty cycle where there is neither.
 *
 * @param usable 1 or more; what reading could not tell is seen when they are used
 * @param reason why the first is first, one line
 */
record Brakes(List<Brake> usable, String reason) {
    static Brakes choose(Subject subject, Set<Long> threads) throws IOException {
        List<Brake> usable = new ArrayList<>();
        List<String> against = new ArrayList<>();
        for (Hierarchy hierarchy : Hierarchy.find(subject.proc(), Control.CONTROLLER)) {
            CgroupBrake brake = new CgroupBrake(subject, hierarchy, CgroupFiles.KERNEL);
            Optional<String> obstacle = threads.stream().findFirst().flatMap(brake::obstacle);
            if (obstacle.isEmpty()) {
                usable.add(brake);
            } else if (usable.isEmpty()) {
                against.add("no " + brake.name() + ": " + obstacle.get());
            }
        }
        boolean quota = !usable.isEmpty();
        usable.add(new DutyCycle());
        String how = quota ? "a quota of processor time for each vCPU's thread"
                : "each vCPU's thread is stopped and continued in turn";
        if (!quota && against.isEmpty()) {
            against.add("no control groups are mounted here");
        }
        return new Brakes(usable, against.isEmpty() ? how
                : how + " (" + String.join("; ", against) + ")");
    }
}
