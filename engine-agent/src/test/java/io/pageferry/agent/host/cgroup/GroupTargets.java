package io.pageferry.agent.host.cgroup;

import io.pageferry.agent.host.linux.ProcText;
import io.pageferry.core.testing.fuzz.FuzzTarget;
import io.pageferry.core.testing.fuzz.FuzzTargets;
import io.pageferry.core.testing.fuzz.TextTarget;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Mounts and the groups of a process, whose names are their makers'. */
public final class GroupTargets implements FuzzTargets {
    private static final String MOUNTS = """
            25 30 0:23 / /sys rw,nosuid shared:7 - sysfs sysfs rw
            29 25 0:26 / /sys/fs/cgroup/uni\\040fied rw shared:9 - cgroup2 cgroup2 rw,nsdelegate
            36 29 0:33 /a /sys/fs/cgroup/memory rw shared:14 master:1 - cgroup cgroup rw,memory
            """;
    private static final String GROUPS = """
            4:cpu,cpuacct:/
            3:memory:/a/b:c
            0::/user.slice/session-1.scope
            """;

    @Override
    public List<FuzzTarget> all() {
        return List.of(
                new TextTarget("proc-mountinfo", Hierarchy.class, Set.of("parse"),
                        Map.of("mounts", MOUNTS), text -> !ProcText.parse("mountinfo", text,
                                mounts -> Hierarchy.parse(mounts, "memory")).isEmpty()),
                new TextTarget("proc-cgroup", Hierarchy.class, Set.of("groupIn"),
                        Map.of("groups", GROUPS), GroupTargets::groups));
    }

    private static boolean groups(String text) throws IOException {
        for (int version = 1; version <= 2; version++) {
            Hierarchy one = new Hierarchy(version, Path.of("/"), "/", "memory");
            if (ProcText.parse("cgroup", text, one::groupIn) == null) {
                return false;
            }
        }
        return true;
    }
}
