package io.pageferry.transport.netty.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.http.HttpCall.Caller;
import io.pageferry.transport.http.HttpHandler;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** A connection without a socket, whose clock stands until it is told to go on. */
final class Requests implements HttpHandler {
    static final String HOST = " HTTP/1.1\r\nHost: x\r\n";

    final List<HttpCall> calls = new ArrayList<>();
    final List<Throwable> bugs = new ArrayList<>();
    final EmbeddedChannel channel = new EmbeddedChannel();
    HttpHandler then = call -> text("you asked for " + call.path());

    Requests() {
        this(Runnable::run, Optional.of(new Caller(7, 8, "")));
    }

    Requests(Executor pool, Optional<Caller> caller) {
        channel.freezeTime();
        new HttpPipeline(new HttpService(this, pool, any -> true, bugs::add))
                .install(channel, caller);
    }

    static HttpAnswer.Whole text(String words) {
        return new HttpAnswer.Whole(200, "text/plain", Map.of(),
                words.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public HttpAnswer answer(HttpCall call) {
        calls.add(call);
        return then.answer(call);
    }

    Requests send(String text) {
        channel.writeInbound(Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1));
        return this;
    }

    Requests pass(long millis) {
        channel.advanceTimeBy(millis, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        return this;
    }

    /** All that was answered since the last call. */
    String answers() {
        channel.runPendingTasks();
        StringBuilder text = new StringBuilder();
        for (ByteBuf next = channel.readOutbound(); next != null; next = channel.readOutbound()) {
            text.append(next.toString(StandardCharsets.UTF_8));
            next.release();
        }
        return text.toString();
    }

    boolean isOpen() {
        return channel.isOpen();
    }
}
