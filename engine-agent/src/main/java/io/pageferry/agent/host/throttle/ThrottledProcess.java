package io.pageferry.agent.host.throttle;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The process whose threads are held.
 *
 * @param proc       where proc is mounted
 * @param pid        its id
 * @param startTicks when it started, in clock ticks since boot: what is named after it is never
 *                   taken for a later process's
 */
record ThrottledProcess(Path proc, long pid, long startTicks) {
    Path task(long thread) {
        return proc.resolve(pid + "/task/" + thread);
    }

    boolean has(long thread) {
        return Files.exists(task(thread));
    }
}
