package io.pageferry.agent.host.throttle;

import io.pageferry.agent.host.cgroup.CgroupFiles;
import io.pageferry.agent.host.cgroup.Hierarchy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** What the two versions of control groups name differently. Stateless. */
enum Control {
    /** {@code cpu.cfs_quota_us}: any thread may be in any group (sched-bwc.rst). */
    V1("tasks") {
        @Override
        Optional<String> obstacle(CgroupFiles files, Path parent) {
            return writable(parent, threads());
        }

        @Override
        boolean mustEnable(CgroupFiles files, Path parent) {
            return false;
        }

        @Override
        void prepare(CgroupFiles files, Path group) {
            // A new group takes any thread.
        }

        @Override
        void limit(CgroupFiles files, Path group, int percent) throws IOException {
            if (percent == 0) {
                files.write(group.resolve(QUOTA), "-1");
                return;
            }
            // The kernel refuses a group more than those around it have.
            double share = shareOf(files, group.getParent()) * (100 - percent) / 100;
            long period = period(share);
            files.write(group.resolve(QUOTA), "-1");
            files.write(group.resolve(PERIOD), Long.toString(period));
            files.write(group.resolve(QUOTA), Long.toString((long) (period * share)));
        }

        private double shareOf(CgroupFiles files, Path parent) throws IOException {
            double share = 1;
            for (Path at = parent; at != null && Files.exists(at.resolve(QUOTA));
                    at = at.getParent()) {
                long quota = Long.parseLong(files.read(at.resolve(QUOTA)).strip());
                if (quota > 0) {
                    share = Math.min(share, (double) quota
                            / Long.parseLong(files.read(at.resolve(PERIOD)).strip()));
                }
            }
            return share;
        }

        @Override
        long heldNanos(CgroupFiles files, Path group) throws IOException {
            return stat(files, group, "throttled_time");
        }
    },

    /** {@code cpu.max} of threaded groups (cgroup-v2.rst). */
    V2("cgroup.threads") {
        @Override
        Optional<String> obstacle(CgroupFiles files, Path parent) {
            try {
                if (!has(files.read(parent.resolve("cgroup.controllers")), "cpu")) {
                    return Optional.of("the cpu controller is not in " + parent
                            + "/cgroup.controllers");
                }
            } catch (IOException e) {
                return Optional.of(e.toString());
            }
            return writable(parent, threads());
        }

        @Override
        boolean mustEnable(CgroupFiles files, Path parent) throws IOException {
            return !has(files.read(parent.resolve(SUBTREE)), "cpu");
        }

        @Override
        void prepare(CgroupFiles files, Path group) throws IOException {
            // Processes may stay in the group around it only where those inside are threaded.
            files.write(group.resolve("cgroup.type"), "threaded");
            if (mustEnable(files, group.getParent())) {
                files.write(group.getParent().resolve(SUBTREE), "+cpu");
            }
        }

        @Override
        void disable(CgroupFiles files, Path parent) throws IOException {
            files.write(parent.resolve(SUBTREE), "-cpu");
        }

        @Override
        void limit(CgroupFiles files, Path group, int percent) throws IOException {
            double share = (100 - percent) / 100.0;
            long period = period(share);
            files.write(group.resolve("cpu.max"), percent == 0 ? "max"
                    : (long) (period * share) + " " + period);
        }

        @Override
        long heldNanos(CgroupFiles files, Path group) throws IOException {
            return stat(files, group, "throttled_usec") * 1_000;
        }
    };

    /** What a hierarchy must have of version 1. */
    static final String CONTROLLER = "cpu";

    private static final String QUOTA = "cpu.cfs_quota_us";
    private static final String PERIOD = "cpu.cfs_period_us";
    private static final String SUBTREE = "cgroup.subtree_control";

    /** Short, so that a held guest stutters finely. */
    private static final long PERIOD_MICROS = 10_000;

    /** The kernel takes no shorter quota (min_cfs_quota_period in kernel/sched/core.c). */
    private static final long MIN_QUOTA_MICROS = 1_000;

    private final String threads;

    Control(String threads) {
        this.threads = threads;
    }

    static Control of(Hierarchy hierarchy) {
        return hierarchy.version() == 2 ? V2 : V1;
    }

    /** The file that lists a group's threads, and moves one that is written to it. */
    final String threads() {
        return threads;
    }

    /** Why no group can be made inside this one, as far as reading shows. */
    abstract Optional<String> obstacle(CgroupFiles files, Path parent);

    /** Whether a group inside this one has no processor time to share out yet. */
    abstract boolean mustEnable(CgroupFiles files, Path parent) throws IOException;

    /** Makes a new group fit to take threads. */
    abstract void prepare(CgroupFiles files, Path group) throws IOException;

    /** Takes back what {@link #prepare} enabled around a group. */
    void disable(CgroupFiles files, Path parent) throws IOException {
        // Nothing was enabled.
    }

    /** Takes a share of one processor's time from a group of one thread. */
    abstract void limit(CgroupFiles files, Path group, int percent) throws IOException;

    /** For how long the group's thread wanted to run and was not let, in nanoseconds. */
    abstract long heldNanos(CgroupFiles files, Path group) throws IOException;

    private static long period(double share) {
        return Math.max(PERIOD_MICROS, (long) Math.ceil(MIN_QUOTA_MICROS / share));
    }

    private static Optional<String> writable(Path parent, String threads) {
        return Files.isWritable(parent) && Files.isWritable(parent.resolve(threads))
                ? Optional.empty() : Optional.of(parent + " cannot be written");
    }

    private static boolean has(String list, String word) {
        return Arrays.asList(list.strip().split("\\s+")).contains(word);
    }

    private static long stat(CgroupFiles files, Path group, String name) throws IOException {
        return files.read(group.resolve("cpu.stat")).lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToLong(line -> Long.parseLong(line.substring(name.length() + 1).strip()))
                .findFirst().orElse(0);
    }
}
