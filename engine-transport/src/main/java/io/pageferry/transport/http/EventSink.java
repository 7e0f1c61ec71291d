package io.pageferry.transport.http;

/** Takes events for one reader. Safe for any thread; no call waits. */
public interface EventSink {
    /**
     * Sends an event.
     *
     * @param id    from which a reader resumes (Last-Event-ID), without a line break
     * @param event its kind, likewise
     * @param data  one line of JSON
     * @return whether it was taken; false for ever once the reader is gone or too slow: it is
     *         closed then
     */
    boolean send(String id, String event, String data);

    /**
     * Has something run once when the reader is gone, at once where it is gone already.
     *
     * @param then on any thread; returns soon
     */
    void onClose(Runnable then);

    /** Ends it, behind what was sent. Idempotent. */
    void close();
}
