package io.pageferry.core.outgoing.session;

/**
 * Links that are lost one after the other. Where each was made, and not one batch was acknowledged
 * on it although some were sent, they are one loss: a path that lets small packets through and
 * large ones not would be tried for ever. One thread.
 */
public final class Losses {
    private boolean any;
    private boolean fruitless;
    private long sinceNanos;
    private long acknowledged;

    /**
     * Notes that a link was lost.
     *
     * @param now     by the migration's clock
     * @param carried bytes of all batches that were acknowledged so far, over all links
     * @param owed    bytes of those that were sent and not acknowledged
     */
    public void lost(long now, long carried, long owed) {
        fruitless = any && owed > 0 && carried == acknowledged;
        if (!fruitless) {
            sinceNanos = now;
        }
        any = true;
        acknowledged = carried;
    }

    /** {@return when the first link was lost behind which nothing was acknowledged any more} */
    public long sinceNanos() {
        return sinceNanos;
    }

    /** {@return whether the last link was made, and carried nothing} */
    public boolean isFruitless() {
        return fruitless;
    }
}
