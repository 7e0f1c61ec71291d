package io.pageferry.agent.cli.exit;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/** The end of this process: with the exit code of its command, also where a signal asks for it. */
public final class CommandExit {
    /** How long a stopped command may take to end well: a settle window and some more. */
    public static final Duration STOP = Duration.ofSeconds(60);

    /** How long a command waits at its end for who reads its stderr. */
    private static final long DRAIN_MILLIS = 1000;

    private static final CountDownLatch ENDED = new CountDownLatch(1);
    private static volatile int exitCode;
    private static volatile ErrorStream stderr;
    private static volatile IntConsumer halt;

    private CommandExit() {
    }

    /**
     * Has what is written to {@link System#err} from now on hold nobody up.
     *
     * @param atOnce ends this process with a code, while it is being stopped too
     */
    public static void prepare(IntConsumer atOnce) {
        stderr = ErrorStream.install();
        halt = atOnce;
    }

    /**
     * Notes that the command is over, and lets what it said be read.
     *
     * @param code of the command
     * @return the same, to exit with
     */
    public static int over(int code) {
        exitCode = code;
        stderr.drain(DRAIN_MILLIS);
        ENDED.countDown();
        return code;
    }

    /**
     * Has a command cancelled by Ctrl-C or SIGTERM; the process ends with its exit code.
     *
     * @param cancel has the command come to its end
     */
    public static void onStop(Runnable cancel) {
        onStop(cancel, STOP);
    }

    /**
     * The same, for one that may take longer.
     *
     * @param cancel  has the command come to its end
     * @param longest how long that may take
     */
    public static void onStop(Runnable cancel, Duration longest) {
        onStop(cancel, () -> longest);
    }

    /**
     * The same, for one that knows only when it is stopped how long that may take.
     *
     * @param cancel  has the command come to its end
     * @param longest how long that may take; asked for behind the cancelling
     */
    public static void onStop(Runnable cancel, Supplier<Duration> longest) {
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> {
            if (ENDED.getCount() == 0) {
                return;
            }
            cancel.run();
            try {
                if (ENDED.await(longest.get().toSeconds(), TimeUnit.SECONDS)) {
                    stderr.drain(DRAIN_MILLIS);
                    halt.accept(exitCode);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
    }
}
