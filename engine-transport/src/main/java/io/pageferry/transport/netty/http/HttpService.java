package io.pageferry.transport.netty.http;

import io.pageferry.transport.http.HttpCall.Caller;
import io.pageferry.transport.http.HttpHandler;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * What a server serves.
 *
 * @param handler  answers calls
 * @param pool     runs it; throws {@link java.util.concurrent.RejectedExecutionException} where
 *                 too many wait already, and their callers are told to come again
 * @param admitted whether a caller may ask. Of a peer on a unix socket it is asked with each group
 *                 of the peer, the first one first, until one is let in; on the IO thread
 * @param bugs     gets what a handler threw, on any thread
 */
public record HttpService(HttpHandler handler, Executor pool, Predicate<Caller> admitted,
        Consumer<Throwable> bugs) { }
