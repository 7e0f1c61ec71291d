package io.pageferry.agent.host.process;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Looks at a paused guest on a thread of its own, while its last pages and its state are sent:
 * what all processes have mapped takes tens of milliseconds to read, which need not be downtime.
 */
public final class PausedCheck {
    private static final long LIMIT_SECONDS = 5;

    private final FutureTask<Void> task;

    /** What is looked at; it touches nothing that belongs to the migration's thread. */
    @FunctionalInterface
    public interface Look {
        /**
         * Looks at the guest.
         *
         * @throws IOException when the guest cannot be looked at; a {@link GuestException} when it
         *                     is not what it was
         */
        void run() throws IOException;
    }

    private PausedCheck(Look look) {
        this.task = new FutureTask<>(() -> {
            look.run();
            return null;
        });
    }

    /**
     * Begins to look.
     *
     * @param look at a guest that stands still by now
     * @return the check, under way
     */
    public static PausedCheck start(Look look) {
        PausedCheck check = new PausedCheck(look);
        Thread.ofPlatform().daemon().name("pageferry-paused-check").start(check.task);
        return check;
    }

    /** {@return one that has found nothing, for a guest that was not paused yet} */
    public static PausedCheck none() {
        PausedCheck check = new PausedCheck(() -> { });
        check.task.run();
        return check;
    }

    /**
     * Waits for the end of it, for 5 s at most.
     *
     * @throws GuestException when the guest is not what it was, or that cannot be told
     */
    public void await() throws GuestException {
        try {
            task.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GuestException known) {
                throw known;
            }
            throw failed(e.getCause().getMessage());
        } catch (TimeoutException e) {
            throw failed("it was not done within " + LIMIT_SECONDS + " s");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed("it was interrupted");
        }
    }

    private static GuestException failed(String why) {
        return new GuestException(ErrorCode.GUEST_FAILED,
                "what maps the guest's memory could not be looked at: " + why, "move it again");
    }
}
