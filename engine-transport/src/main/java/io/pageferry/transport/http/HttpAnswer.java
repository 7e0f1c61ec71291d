package io.pageferry.transport.http;

import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

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
     * Answers when there is something to say, and holds up no thread until then.
     *
     * @param answer is completed on any thread, sooner or later: the server has no limit of its
     *               own for it; a failure becomes a 500 without its words
     */
    record Later(CompletionStage<HttpAnswer> answer) implements HttpAnswer { }
}
