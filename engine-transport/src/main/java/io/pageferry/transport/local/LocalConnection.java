package io.pageferry.transport.local;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;

/** What both ends of a link share. Any thread. */
final class LocalConnection {
    /** Messages that may wait in one direction. */
    private static final int QUEUE = 256;

    final ArrayBlockingQueue<Message> toTarget = new ArrayBlockingQueue<>(QUEUE);
    final ArrayBlockingQueue<Message> toSource = new ArrayBlockingQueue<>(QUEUE);
    private final AtomicReference<Loss> loss = new AtomicReference<>();
    private volatile Channels channels;

    /** Why it was lost. */
    record Loss(ErrorCode code, String reason) { }

    /** What the target granted, and the channels that it waits at. */
    private record Channels(Message.Welcome granted, List<LocalChannel> channels) { }

    /** The target's: attaches the source that shows what was granted. */
    void accept(Message.Welcome granted) {
        channels = new Channels(granted, IntStream.range(0, granted.channels())
                .mapToObj(channel -> new LocalChannel(granted, channel)).toList());
    }

    /** The target's channels, none before it granted any. */
    List<LocalChannel> channels() {
        Channels open = channels;
        return open == null ? List.of() : open.channels();
    }

    /** The channels for a source that was granted so much; none where the target knows better. */
    List<LocalChannel> channels(Message.Welcome shown) {
        Channels open = channels;
        return open == null || !open.granted().equals(shown) ? List.of() : open.channels();
    }

    /** Only the first loss counts. */
    void lose(ErrorCode code, String reason) {
        loss.compareAndSet(null, new Loss(code, reason));
    }

    /** Why it was lost, null while it stands. */
    Loss loss() {
        return loss.get();
    }

    boolean isLost() {
        return loss.get() != null;
    }
}
