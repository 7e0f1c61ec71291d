package io.pageferry.agent.host.throttle;

import io.pageferry.agent.host.cgroup.CgroupFiles;
import io.pageferry.agent.host.cgroup.Hierarchy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Holds threads by a quota of processor time: each in a control group of its own, so that one busy
 * vCPU cannot live on what an idle one leaves, and no other thread of the process is touched.
 */
final class CgroupCpuLimiter implements CpuLimiter {
    private final ThrottledProcess throttled;
    private final Hierarchy hierarchy;
    private final CgroupFiles files;
    private final Control control;
    private final Map<Long, Path> groups = new TreeMap<>();
    private final Map<Long, Long> held = new HashMap<>();

    CgroupCpuLimiter(ThrottledProcess throttled, Hierarchy hierarchy, CgroupFiles files) {
        this.throttled = throttled;
        this.hierarchy = hierarchy;
        this.files = files;
        this.control = Control.of(hierarchy);
    }

    @Override
    public String name() {
        return "cgroup-v" + hierarchy.version();
    }

    /** Why it cannot hold a thread, as far as reading shows. */
    Optional<String> obstacle(long thread) {
        try {
            return control.obstacle(files, hierarchy.groupOf(throttled.task(thread)));
        } catch (IOException e) {
            return Optional.of(e.getMessage());
        }
    }

    @Override
    public void apply(Set<Long> threads, int percent) throws IOException {
        for (Long gone : Set.copyOf(groups.keySet())) {
            if (!threads.contains(gone)) {
                dissolve(gone);
            }
        }
        for (Long thread : threads) {
            try {
                hold(thread, percent);
            } catch (IOException e) {
                if (throttled.has(thread)) {
                    throw e;
                }
                dissolve(thread);
            }
        }
    }

    private void hold(long thread, int percent) throws IOException {
        Path group = groups.get(thread);
        if (group == null) {
            Path parent = hierarchy.groupOf(throttled.task(thread));
            while (HeldGroup.isOne(parent)) {
                // What a killed agent left and no recovery has undone yet.
                HeldGroup.dissolve(files, control, parent);
                parent = hierarchy.groupOf(throttled.task(thread));
            }
            group = HeldGroup.make(files, control, parent,
                    HeldGroup.prefix(throttled.pid(), throttled.startTicks()) + thread);
            groups.put(thread, group);
        }
        control.limit(files, group, percent);
        files.write(group.resolve(control.threads()), Long.toString(thread));
        HeldGroup.expelOthers(files, control, group, thread);
    }

    @Override
    public long heldNanos(long thread) {
        Path group = groups.get(thread);
        return held.getOrDefault(thread, 0L) + (group == null ? 0 : nanosOf(group));
    }

    private long nanosOf(Path group) {
        try {
            return control.heldNanos(files, group);
        } catch (IOException e) {
            return 0;
        }
    }

    private void dissolve(long thread) throws IOException {
        Path group = groups.remove(thread);
        if (group == null) {
            return;
        }
        long before = held.getOrDefault(thread, 0L);
        held.put(thread, before + nanosOf(group));
        try {
            HeldGroup.dissolve(files, control, group);
        } catch (IOException e) {
            groups.put(thread, group);
            held.put(thread, before);
            throw e;
        }
    }

    @Override
    public void release() throws IOException {
        IOException stuck = null;
        for (Long thread : Set.copyOf(groups.keySet())) {
            try {
                dissolve(thread);
            } catch (IOException e) {
                stuck = e;
            }
        }
        if (stuck != null) {
            throw stuck;
        }
    }

    /**
     * Undoes what any agent did to a process that may have ended, by the names of the groups.
     *
     * @throws IOException when something is left
     */
    static void undo(ThrottledProcess throttled, Hierarchy hierarchy, CgroupFiles files)
            throws IOException {
        sweep(hierarchy.mount(), HeldGroup.prefix(throttled.pid(), throttled.startTicks()),
                Control.of(hierarchy), files);
    }

    private static void sweep(Path group, String prefix, Control control, CgroupFiles files)
            throws IOException {
        for (Path inside : files.children(group)) {
            if (inside.getFileName().toString().startsWith(prefix)) {
                HeldGroup.dissolve(files, control, inside);
            } else if (Files.isReadable(inside)) {
                sweep(inside, prefix, control, files);
            }
        }
    }
}
