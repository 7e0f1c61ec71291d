package io.pageferry.transport.http;

/** Answers calls. */
@FunctionalInterface
public interface HttpHandler {
    /**
     * Answers a call, on a thread of the API, of which there are a few: it may wait for a while, as
     * others wait for it then.
     *
     * @param call a whole call
     * @return the answer; an exception becomes a 500 without its words
     */
    HttpAnswer answer(HttpCall call);
}
