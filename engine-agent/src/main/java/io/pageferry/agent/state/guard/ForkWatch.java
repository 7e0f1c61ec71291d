package io.pageferry.agent.state.guard;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.userfault.Userfault;
import java.io.PrintStream;
import java.util.concurrent.locks.LockSupport;

/**
 * The guard's copy of its agent's userfaultfd. A fork of the guest waits until somebody reads of
 * it: where the agent does not, because it hangs or was stopped, the guard does after some seconds
 * and lets the guest go on. The agent finds that out before it can hand the guest over. On a
 * thread of its own.
 */
final class ForkWatch implements AutoCloseable {
    /** The line that tells the agent; it is sent before the child runs. */
    static final String GONE = "forked";

    private static final long LOOK_NANOS = 200_000_000L;

    /** So many in a row: two seconds, which an agent that runs never takes. */
    private static final int LOOKS = 10;

    private final Userfault userfault;
    private final PrintStream agent;
    private final Thread thread;
    private volatile boolean over;

    /**
     * Begins to look.
     *
     * @param fd    copy of the descriptor, owned here
     * @param agent receives {@link #GONE}
     */
    ForkWatch(int fd, PrintStream agent) {
        this.userfault = Userfault.copy(fd);
        this.agent = agent;
        this.thread = Thread.ofPlatform().daemon().name("forks").start(this::look);
    }

    private void look() {
        int waiting = 0;
        try {
            while (!over) {
                waiting = userfault.isForkWaiting() ? waiting + 1 : 0;
                if (waiting == LOOKS) {
                    agent.println(GONE);
                    agent.flush();
                    userfault.takeForks();
                    waiting = 0;
                }
                LockSupport.parkNanos(LOOK_NANOS);
            }
        } catch (LinuxException e) {
            // Nothing can be told of forks any more: none may wait because of this copy.
            userfault.close();
        }
    }

    /** Closes the copy, and so the tracking where the agent is gone. */
    @Override
    public void close() {
        over = true;
        LockSupport.unpark(thread);
        userfault.close();
    }
}
