package io.pageferry.transport.netty.http;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.concurrent.EventExecutor;
import io.pageferry.transport.http.EventSink;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Events on their way to one reader, as text/event-stream. What waits for it is counted and
 * bounded: a reader that does not read is cut, and holds up nobody.
 */
final class EventStream implements EventSink {
    private static final byte[] HEARTBEAT = ":\n\n".getBytes(StandardCharsets.US_ASCII);

    private final Channel channel;
    private final EventExecutor thread;
    private final HttpConnections all;
    private final List<Runnable> then = new ArrayList<>();
    private int waiting;
    /** Nothing more is taken. */
    private boolean closed;
    private boolean gone;

    // The connection's thread
    private ScheduledFuture<?> beats;
    private ChannelFuture lastBeat;

    /** Takes a place among the readers; where there is none it is closed from the first. */
    EventStream(Channel channel, EventExecutor thread, HttpConnections all) {
        this.channel = channel;
        this.thread = thread;
        this.all = all;
        this.closed = !all.add(this);
        if (!closed) {
            channel.closeFuture().addListener(any -> end());
        }
    }

    synchronized boolean isOpen() {
        return !closed;
    }

    synchronized int waiting() {
        return waiting;
    }

    /** Sends the answer's head, and a comment now and then. On the connection's thread, first. */
    void begin(HttpResponse head) {
        channel.writeAndFlush(head);
        beats = thread.scheduleAtFixedRate(this::beat,
                HttpLimits.HEARTBEAT.toMillis(), HttpLimits.HEARTBEAT.toMillis(),
                TimeUnit.MILLISECONDS);
        if (!channel.isOpen()) {
            beats.cancel(false);
        }
    }

    private void beat() {
        if (lastBeat != null && !lastBeat.isDone()) {
            cut();
        } else {
            lastBeat = write(HEARTBEAT);
        }
    }

    private ChannelFuture write(byte[] text) {
        return channel.writeAndFlush(new DefaultHttpContent(Unpooled.wrappedBuffer(text)));
    }

    @Override
    public boolean send(String id, String event, String data) {
        if ((id + event + data).chars().anyMatch(c -> c == '\n' || c == '\r')) {
            throw new IllegalArgumentException("an event has a line break: " + event + " " + id);
        }
        byte[] text = ("id: " + id + "\nevent: " + event + "\ndata: " + data + "\n\n")
                .getBytes(StandardCharsets.UTF_8);
        boolean taken;
        synchronized (this) {
            if (closed) {
                return false;
            }
            taken = waiting + text.length <= HttpLimits.EVENT_BYTES && enqueue(text);
            waiting += taken ? text.length : 0;
        }
        if (taken) {
            all.takeEvents(text.length);
        } else {
            cut();
        }
        return taken;
    }

    /** Behind what was enqueued before. */
    private boolean enqueue(byte[] text) {
        return onLoop(() -> write(text).addListener(any -> {
            synchronized (this) {
                waiting -= text.length;
            }
            all.giveEvents(text.length);
        }));
    }

    private boolean onLoop(Runnable task) {
        try {
            thread.execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            // The server is closed.
            return false;
        }
    }

    /** Ends it at once, with what waits. No lock is held while others are told. Idempotent. */
    void cut() {
        synchronized (this) {
            closed = true;
        }
        channel.close();
    }

    private void end() {
        if (thread.inEventLoop() || !onLoop(this::ended)) {
            ended();
        }
    }

    private void ended() {
        List<Runnable> told;
        synchronized (this) {
            closed = true;
            gone = true;
            told = List.copyOf(then);
            then.clear();
        }
        all.remove(this);
        if (beats != null) {
            beats.cancel(false);
        }
        told.forEach(Runnable::run);
    }

    @Override
    public void onClose(Runnable told) {
        synchronized (this) {
            if (!gone) {
                then.add(told);
                return;
            }
        }
        told.run();
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        onLoop(() -> {
            beats.cancel(false);
            channel.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT)
                    .addListener(ChannelFutureListener.CLOSE);
            thread.schedule(this::cut, HttpLimits.ANSWER.toMillis(),
                    TimeUnit.MILLISECONDS);
        });
    }
}
