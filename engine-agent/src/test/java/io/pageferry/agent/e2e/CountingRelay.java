package io.pageferry.agent.e2e;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A cable between two agents that notes when how many bytes went from source to target. It notes
 * too how late this machine let its threads run: what was held up here passed all at once.
 */
final class CountingRelay extends Cable {
    private static final long SECOND = 1_000_000_000L;
    private static final long TURN_NANOS = 1_000_000L;

    // Guarded by this.
    private final List<long[]> passed = new ArrayList<>();
    private long latest;
    private boolean closed;

    CountingRelay(String address) throws IOException {
        super(address);
        Thread.ofPlatform().daemon().name("lateness").start(this::watch);
    }

    /** {@return all bytes from source to target} */
    synchronized long total() {
        return passed.stream().mapToLong(one -> one[1]).sum();
    }

    /** {@return most bytes in any second} */
    synchronized long mostInASecond() {
        List<long[]> inOrder = passed.stream()
                .sorted((a, b) -> Long.signum(a[0] - b[0])).toList();
        long most = 0;
        long sum = 0;
        int first = 0;
        for (long[] last : inOrder) {
            sum += last[1];
            while (last[0] - inOrder.get(first)[0] >= SECOND) {
                sum -= inOrder.get(first++)[1];
            }
            most = Math.max(most, sum);
        }
        return most;
    }

    /** {@return longest time for which a thread of this process that wanted to run did not} */
    synchronized long latestNanos() {
        return latest;
    }

    private void watch() {
        while (!isClosed()) {
            long before = System.nanoTime();
            LockSupport.parkNanos(TURN_NANOS);
            late(System.nanoTime() - before - TURN_NANOS);
        }
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    private synchronized void late(long nanos) {
        latest = Math.max(latest, nanos);
    }

    private synchronized void note(int bytes) {
        passed.add(new long[] {System.nanoTime(), bytes});
    }

    @Override
    void pass(byte[] some, int bytes, boolean fromSource) {
        if (fromSource) {
            note(bytes);
        }
    }

    @Override
    public synchronized void close() throws IOException {
        closed = true;
        super.close();
    }
}
