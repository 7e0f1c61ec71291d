package io.pageferry.agent.host.process;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.time.Duration;

/**
 * Looks at a paused guest on a thread of its own, while its last pages and its state are sent:
 * what all processes have mapped takes tens of milliseconds to read, which need not be downtime.
 */
public final class PausedCheck {
    private static final Duration LIMIT = Duration.ofSeconds(5);

    private final PausedTask<Void> task;

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

    private PausedCheck(PausedTask<Void> task) {
        this.task = task;
    }

    /**
     * Begins to look.
     *
     * @param look at a guest that stands still by now
     * @return the check, under way
     */
    public static PausedCheck start(Look look) {
        return new PausedCheck(PausedTask.start("pageferry-paused-check", () -> {
            look.run();
            return null;
        }));
    }

    /** {@return one that has found nothing, for a guest that was not paused yet} */
    public static PausedCheck none() {
        return new PausedCheck(null);
    }

    /** {@return whether it looks, or has looked, at anything} */
    public boolean isBegun() {
        return task != null;
    }

    /**
     * Waits for the end of it, for 5 s at most.
     *
     * @throws GuestException when the guest is not what it was, or that cannot be told
     */
    public void await() throws GuestException {
        if (task == null) {
            return;
        }
        try {
            task.await(LIMIT);
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED,
                    "what maps the guest's memory could not be looked at: " + e.getMessage(),
                    "move it again");
        }
    }
}
