package io.pageferry.core.testing.guest;

/** A thread that does the same again and again until it is closed. */
final class Worker implements AutoCloseable {
    private static final long JOIN_MILLIS = 10_000;

    private final Thread thread;
    private volatile boolean over;
    private volatile RuntimeException failure;

    Worker(Runnable work) {
        thread = Thread.ofPlatform().daemon().name("work of the guest").start(() -> {
            try {
                while (!over) {
                    work.run();
                }
            } catch (RuntimeException e) {
                failure = e;
            }
        });
    }

    /** Waits for its end. Idempotent. */
    @Override
    public void close() {
        over = true;
        try {
            thread.join(JOIN_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            throw new IllegalStateException("the work of the guest does not end");
        }
        if (failure != null) {
            throw failure;
        }
    }
}
