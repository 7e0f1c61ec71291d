package io.pageferry.transport.http;

import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Answers a call. */
public sealed interface HttpAnswer {
    /**
     * Answers at once and as a whole.
     *
     * @param status  three digits
     * @param type    of the body, with its charset
     * @param headers further ones; with "Connection: close" no call follows on its connection
     * @param body    the server's from now on
     */
    record Whole(int status, String type, Map<String, String> headers, byte[] body)
            implements HttpAnswer { }

    /**
     * Answers with events (text/event-stream) for as long as both sides want.
     *
     * @param start gets the sink once, on a thread of the API; returns soon
     */
    record Events(Consumer<EventSink> start) implements HttpAnswer { }

    /**
     * Answers when there is something to say, and holds up no thread until then. The server bounds
     * how many wait, and not how long.
     *
     * @param start begins what is waited for, once and on a thread of the API, and returns soon;
     *              not called where too many wait already. What it gives is completed on any
     *              thread, sooner or later; a failure becomes a 500 without its words
     */
    record Later(Supplier<CompletionStage<HttpAnswer>> start) implements HttpAnswer { }
}
