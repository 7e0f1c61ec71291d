package io.pageferry.agent.host.throttle;

import io.pageferry.agent.host.cgroup.CgroupFiles;
import io.pageferry.agent.host.cgroup.Hierarchy;
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
record CpuLimiters(List<CpuLimiter> usable, String reason) {
    static CpuLimiters choose(ThrottledProcess throttled, Set<Long> threads) throws IOException {
        List<CpuLimiter> usable = new ArrayList<>();
        List<String> against = new ArrayList<>();
        for (Hierarchy hierarchy : Hierarchy.find(throttled.proc(), Control.CONTROLLER)) {
            CgroupCpuLimiter limiter = new CgroupCpuLimiter(throttled, hierarchy,
                    CgroupFiles.KERNEL);
            Optional<String> obstacle = threads.stream().findFirst().flatMap(limiter::obstacle);
            if (obstacle.isEmpty()) {
                usable.add(limiter);
            } else if (usable.isEmpty()) {
                against.add("no " + limiter.name() + ": " + obstacle.get());
            }
        }
        boolean quota = !usable.isEmpty();
        usable.add(new DutyCycle());
        String how = quota ? "a quota of processor time for each vCPU's thread"
                : "each vCPU's thread is stopped and continued in turn";
        if (!quota && against.isEmpty()) {
            against.add("no control groups are mounted here");
        }
        return new CpuLimiters(usable, against.isEmpty() ? how
                : how + " (" + String.join("; ", against) + ")");
    }
}
