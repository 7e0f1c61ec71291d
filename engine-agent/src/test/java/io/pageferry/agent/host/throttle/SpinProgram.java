package io.pageferry.agent.host.throttle;

/** A process with two threads that never rest, and whose other threads do. */
final class SpinProgram {
    private static volatile long sink;

    private SpinProgram() {
    }

    public static void main(String[] arguments) throws InterruptedException {
        for (int i = 0; i < 2; i++) {
            Thread.ofPlatform().name("spin-" + i).daemon().start(() -> {
                while (true) {
                    sink++;
                }
            });
        }
        Thread.currentThread().join();
    }
}
