package io.pageferry.core.link.flow;

/**
 * How many batches of one channel are worth having in flight, within the window that the target
 * grants. The window is made for a long and fast link; on a short one the batches would only wait
 * in it: a barrier would wait for all of them, and between two processes of one host they would go
 * through memory instead of the caches (measured: a fifth of the throughput).
 *
 * <p>The rule is that of TCP Vegas (Brakmo, Peterson 1995): a batch that takes much longer than
 * the fastest one of late was waiting behind others, so fewer are sent; one that does not, although
 * more could have been sent, shows that there is room for more. Confined to one thread.
 */
public final class FlightLimit {
    /** Always allowed: one on the wire, one at each end, one coming back. */
    public static final int FEWEST = 4;

    /**
     * Samples after which the fastest time is taken for a little longer, for the link may have
     * become so. Whenever the link is empty, as after each barrier, the true one is seen again.
     */
    private static final int MEMORY = 256;
    private static final int PART = 32;

    private final int window;
    private int limit;
    private boolean heldBack;
    private long fastest = Long.MAX_VALUE;
    private int samples;

    /**
     * Makes a limit that allows {@link #FEWEST}.
     *
     * @param window most batches ever, ≥ 1
     */
    public FlightLimit(int window) {
        this.window = window;
        this.limit = Math.min(FEWEST, window);
    }

    /**
     * Asks for room for one more batch.
     *
     * @param inFlight batches that are not acknowledged
     * @return whether it may be sent
     */
    public boolean allows(int inFlight) {
        if (inFlight >= limit) {
            heldBack = true;
            return false;
        }
        return true;
    }

    /**
     * Notes how long one acknowledged batch took.
     *
     * @param nanos since it was committed
     */
    public void took(long nanos) {
        if (++samples % MEMORY == 0) {
            fastest += fastest / PART;
        }
        fastest = Math.min(fastest, nanos);
        if (nanos > 2 * fastest) {
            limit = Math.max(Math.min(FEWEST, window), limit - 1);
        } else if (heldBack && nanos < fastest + fastest / 2) {
            limit = Math.min(window, limit + 1);
        }
        heldBack = false;
    }
}
