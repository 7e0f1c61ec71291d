package io.pageferry.agent.report;

import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * On a terminal: what a command does before it has anything else to say, and for how long. Written
 * by a thread of its own, as the command's is busy.
 */
final class OpeningLine {
    private static final long TICK_MILLIS = 250;

    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread thread;

    private OpeningLine(Output output, String what) {
        this.thread = Thread.ofPlatform().daemon().name("pageferry-opening").unstarted(() -> {
            long began = System.nanoTime();
            do {
                output.overwrite(String.format(Locale.ROOT, "%s … %.1f s", what,
                        (System.nanoTime() - began) / 1e9));
            } while (!isEnded());
            output.overwrite("");
        });
    }

    static OpeningLine show(Output output, String what) {
        OpeningLine line = new OpeningLine(output, what);
        line.thread.start();
        return line;
    }

    private boolean isEnded() {
        try {
            return ended.await(TICK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            return true;
        }
    }

    /** Wipes it, and returns when nothing more is written. */
    void end() {
        ended.countDown();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
