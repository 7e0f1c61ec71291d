package io.pageferry.transport.netty.http;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.http.HttpCall.Caller;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * One connection: takes a request, has it answered, and only then looks at the next one. All but
 * {@link #work} and {@link #give} on its IO thread.
 */
final class HttpConnection extends ChannelInboundHandlerAdapter {
    private enum Phase { READING, ANSWERING, IDLE, EVENTS, ENDING }

    private final HttpService service;
    private final HttpConnections all;
    private final Optional<Caller> caller;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private final Queue<Object> held = new ArrayDeque<>();
    private ChannelHandlerContext context;
    /** A new one has a request's time to come with its first one. */
    private Phase phase = Phase.READING;
    private ScheduledFuture<?> limit;
    private RequestHead head;
    /** Written on the IO thread. */
    private volatile boolean inputEnded;

    HttpConnection(HttpService service, HttpConnections all, Optional<Caller> caller) {
        this.service = service;
        this.all = all;
        this.caller = caller;
    }

    /** {@return what stands before the decoder, which is silent until a head is complete} */
    ChannelHandler arrivals() {
        return new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object bytes) {
                begin();
                ctx.fireChannelRead(bytes);
            }
        };
    }

    /** Whether it may make way for another one. */
    boolean asksNothing() {
        return phase == Phase.IDLE || phase == Phase.READING;
    }

    /** Whether its caller has said all, or is gone. Any thread. */
    boolean hasSaidAll() {
        return inputEnded;
    }

    /** Any thread. */
    void end() {
        context.close();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        if (!ctx.channel().isOpen()) {
            // It ended in its handshake's last moment: nobody will say so again.
            phase = Phase.ENDING;
            return;
        }
        limit(HttpLimits.REQUEST);
        if (!all.add(this)) {
            refuse(HttpProblem.BUSY);
        }
        read();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        all.remove(this);
        limit.cancel(false);
        held.forEach(ReferenceCountUtil::release);
        held.clear();
        if (phase == Phase.READING) {
            dropBody();
        }
    }

    private void limit(Duration time) {
        if (limit != null) {
            limit.cancel(false);
        }
        limit = context.executor().schedule(this::tooLate, time.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    private void tooLate() {
        if (phase == Phase.READING) {
            refuse(HttpProblem.TIMEOUT);
        } else {
            end();
        }
    }

    private void begin() {
        if (phase == Phase.IDLE) {
            phase = Phase.READING;
            limit(HttpLimits.REQUEST);
        }
    }

    /** What follows on a request is held back until it is answered: one read's worth at most. */
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        held.add(message);
        takeHeld();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        read();
    }

    private void takeHeld() {
        while (phase != Phase.ANSWERING && !held.isEmpty()) {
            Object message = held.poll();
            begin();
            try {
                // Whoever reads events, or is turned away, is not listened to any more.
                if (phase == Phase.READING && message instanceof HttpRequest request) {
                    take(request);
                }
                if (phase == Phase.READING && message instanceof HttpContent content) {
                    take(content);
                }
            } finally {
                ReferenceCountUtil.release(message);
            }
        }
    }

    private void read() {
        if (phase != Phase.ANSWERING && !inputEnded && context.channel().isActive()) {
            context.read();
        }
    }

    private void take(HttpRequest request) {
        Optional<HttpProblem> problem = caller.isEmpty() ? Optional.of(HttpProblem.NOT_ADMITTED)
                : RequestHead.objection(request);
        if (problem.isPresent()) {
            refuse(problem.get());
            return;
        }
        head = RequestHead.of(request);
        if (head.expects()) {
            context.writeAndFlush(new DefaultFullHttpResponse(HttpVersion.HTTP_1_1,
                    HttpResponseStatus.CONTINUE, Unpooled.EMPTY_BUFFER));
        }
    }

    private void take(HttpContent content) {
        int bytes = content.content().readableBytes();
        if (content.decoderResult().isFailure()) {
            refuse(RequestHead.problem(content.decoderResult().cause()));
        } else if (body.size() + bytes > HttpLimits.BODY_BYTES) {
            refuse(HttpProblem.BODY_TOO_LARGE);
        } else if (!all.takeBody(bytes)) {
            refuse(HttpProblem.BUSY);
        } else {
            body.writeBytes(ByteBufUtil.getBytes(content.content()));
            if (content instanceof LastHttpContent) {
                ask();
            }
        }
    }

    private void ask() {
        phase = Phase.ANSWERING;
        limit.cancel(false);
        HttpCall call = head.call(body.toByteArray(), caller.orElseThrow());
        try {
            service.pool().execute(() -> work(call));
        } catch (RejectedExecutionException e) {
            refuse(HttpProblem.BUSY);
        }
    }

    private void dropBody() {
        all.giveBody(body.size());
        body.reset();
    }

    // --- on a thread of the pool, or of whoever answers later

    private void work(HttpCall call) {
        try {
            give(service.handler().answer(call));
        } catch (RuntimeException | Error e) {
            failed(e);
        }
    }

    private void give(HttpAnswer answer) {
        switch (answer) {
            case HttpAnswer.Whole whole -> {
                boolean goOn = head.keepAlive() && !HttpResponses.isLast(whole);
                HttpResponse response = HttpResponses.whole(whole, head, goOn);
                onLoop(() -> write(response, goOn));
            }
            case HttpAnswer.Events events -> give(events);
            case HttpAnswer.Later later -> give(later);
        }
    }

    private void give(HttpAnswer.Later later) {
        if (!all.addWaiting(this)) {
            give(HttpProblem.BUSY.answer());
            return;
        }
        later.start().get().whenComplete((then, failure) -> {
            all.removeWaiting(this);
            try {
                if (failure != null) {
                    failed(failure);
                } else {
                    give(then);
                }
            } catch (RuntimeException | Error e) {
                failed(e);
            }
        });
    }

    private void give(HttpAnswer.Events events) {
        if (head.isHead()) {
            onLoop(() -> write(HttpResponses.events(head), false));
            return;
        }
        EventStream stream = new EventStream(context.channel(), context.executor(), all);
        if (!stream.isOpen()) {
            give(HttpProblem.BUSY.answer());
            return;
        }
        onLoop(() -> {
            dropBody();
            phase = Phase.EVENTS;
            stream.begin(HttpResponses.events(head));
            // Only who reads notices that the other end is gone.
            read();
        });
        events.start().accept(stream);
    }

    private void failed(Throwable failure) {
        all.removeWaiting(this);
        service.bugs().accept(failure);
        onLoop(() -> {
            if (phase == Phase.ANSWERING) {
                refuse(HttpProblem.BUG);
            } else {
                end();
            }
        });
    }

    private void onLoop(Runnable then) {
        try {
            context.executor().execute(then);
        } catch (RejectedExecutionException e) {
            // The server was closed, and this connection with it.
            return;
        }
    }

    // --- on the IO thread again

    private void refuse(HttpProblem problem) {
        write(HttpResponses.whole(problem.answer(), head, false), false);
    }

    private void write(HttpResponse response, boolean goOn) {
        dropBody();
        phase = goOn ? Phase.ANSWERING : Phase.ENDING;
        limit(HttpLimits.ANSWER);
        context.writeAndFlush(response).addListener((ChannelFutureListener) done -> {
            if (goOn && done.isSuccess()) {
                next();
            } else {
                end();
            }
        });
    }

    private void next() {
        phase = Phase.IDLE;
        head = null;
        limit(HttpLimits.IDLE);
        takeHeld();
        if (inputEnded && phase == Phase.IDLE) {
            end();
        }
        read();
    }

    /** A caller that has said all may still wait for its answer. */
    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event == ChannelInputShutdownEvent.INSTANCE) {
            inputEnded = true;
            if (phase != Phase.ANSWERING && phase != Phase.ENDING) {
                end();
            }
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (!(cause instanceof IOException) && !isOfTheEnd(ctx, cause)) {
            service.bugs().accept(cause);
        }
        ctx.close();
    }

    /** A channel whose threads end takes its handlers away by tasks that nobody takes any more. */
    private static boolean isOfTheEnd(ChannelHandlerContext ctx, Throwable cause) {
        return cause instanceof RejectedExecutionException && (ctx.executor().isShuttingDown()
                || ctx.channel().eventLoop().isShuttingDown());
    }
}
