package io.pageferry.agent.host.disk.freeze;

import io.pageferry.agent.host.linux.block.MountedFilesystem;
import io.pageferry.agent.host.linux.block.MountedFilesystem.Freeze;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Calls that may hang in the kernel, on a thread of their own: after the deadline nobody waits for
 * them, and what they freeze later is thawed at once.
 */
final class FreezeRun {
    private final CountDownLatch over = new CountDownLatch(1);
    private final List<MountedFilesystem> frozen = new ArrayList<>();
    private final List<String> impossible = new ArrayList<>();
    private IOException failure;
    private String at = "";
    private boolean undone;

    private FreezeRun() {
    }

    /** What is done. */
    interface Work {
        void run(FreezeRun run) throws IOException;
    }

    /** Begins on a thread of that name. */
    static FreezeRun begin(String name, Work work) {
        FreezeRun run = new FreezeRun();
        Thread.ofPlatform().daemon().name(name).start(() -> run.work(work));
        return run;
    }

    private void work(Work work) {
        try {
            work.run(this);
        } catch (IOException e) {
            fail(e);
        } finally {
            over.countDown();
        }
    }

    private synchronized void fail(IOException e) {
        failure = e;
    }

    /** Freezes one more, on the thread of the run. */
    void freeze(MountedFilesystem mount) throws IOException {
        synchronized (this) {
            if (undone) {
                return;
            }
            at = mount.toString();
        }
        switch (mount.freeze()) {
            case FROZEN -> add(mount);
            case IMPOSSIBLE -> {
                synchronized (this) {
                    impossible.add(mount.toString());
                }
            }
            default -> throw new IOException(mount + " is frozen by somebody else, who may thaw it"
                    + " at any moment: thaw it (fsfreeze -u)");
        }
    }

    /** Waits until all is done; throws what went wrong, or that it is late. */
    void await(long deadline, String late) throws IOException {
        boolean ended;
        try {
            ended = over.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            ended = false;
        }
        synchronized (this) {
            if (failure != null) {
                throw failure;
            }
            if (!ended) {
                throw new IOException(at.isEmpty() ? late : at + ": " + late);
            }
        }
    }

    /** {@return names of those that cannot be frozen} */
    synchronized List<String> impossible() {
        return List.copyOf(impossible);
    }

    /** Makes sure that one is frozen, on the thread of the run; freezes it where it is not. */
    void recheck(MountedFilesystem mount) throws IOException {
        // Freezing what is frozen is refused.
        if (mount.freeze() != Freeze.BY_SOMEBODY_ELSE) {
            add(mount);
            throw new IOException(mount + " was thawed before the time: what was read since may be"
                    + " of different moments");
        }
    }

    private synchronized void add(MountedFilesystem mount) throws IOException {
        frozen.add(mount);
        if (undone) {
            thaw();
        }
    }

    /** {@return what was frozen} */
    synchronized List<MountedFilesystem> frozen() {
        return List.copyOf(frozen);
    }

    /** Thaws what is frozen, the last one first; a call that still hangs does it by itself. */
    synchronized void undo() throws IOException {
        undone = true;
        thaw();
    }

    private void thaw() throws IOException {
        List<MountedFilesystem> last = List.copyOf(frozen);
        frozen.clear();
        new Thawer(last).thaw();
    }

    /** Returns when the thread does nothing any more. */
    void join() {
        try {
            over.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** {@return whether the thread does nothing any more} */
    boolean isOver() {
        return over.getCount() == 0;
    }
}
