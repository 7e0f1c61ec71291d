package io.pageferry.transport.netty.http;

import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What the connections of a server have together, and may not have more of. The IO thread calls
 * what is about connections and bodies, any thread what is about events and waits.
 */
final class HttpConnections {
    private final int most;
    /** By age. */
    private final Set<HttpConnection> open = new LinkedHashSet<>();
    private int bodyBytes;

    /** By age. Guarded by itself. */
    private final Set<HttpConnection> waiting = new LinkedHashSet<>();

    private final Set<EventStream> readers = ConcurrentHashMap.newKeySet();
    private final AtomicLong eventBytes = new AtomicLong();

    HttpConnections(int most) {
        this.most = most;
    }

    /**
     * Adds one. Where there are too many, the oldest that asks for nothing makes way.
     *
     * @return whether there is a place for it
     */
    boolean add(HttpConnection fresh) {
        if (open.size() >= most) {
            Optional<HttpConnection> silent =
                    open.stream().filter(HttpConnection::asksNothing).findFirst();
            if (silent.isEmpty()) {
                return false;
            }
            open.remove(silent.get());
            silent.get().end();
        }
        return open.add(fresh);
    }

    void remove(HttpConnection one) {
        open.remove(one);
        removeWaiting(one);
    }

    /**
     * Has one wait for its answer. Where too many do, one that will say nothing more makes way, as
     * it may be gone: nobody reads what is not asked for.
     *
     * @return whether there is a place for it
     */
    boolean addWaiting(HttpConnection one) {
        Optional<HttpConnection> way = Optional.empty();
        synchronized (waiting) {
            if (waiting.size() >= HttpLimits.WAITING) {
                way = waiting.stream().filter(HttpConnection::hasSaidAll).findFirst();
                if (way.isEmpty()) {
                    return false;
                }
                waiting.remove(way.get());
            }
            waiting.add(one);
        }
        way.ifPresent(HttpConnection::end);
        return true;
    }

    void removeWaiting(HttpConnection one) {
        synchronized (waiting) {
            waiting.remove(one);
        }
    }

    /** {@return whether so many more bytes of bodies may be held} */
    boolean takeBody(int bytes) {
        if (bodyBytes + bytes > HttpLimits.ALL_BODY_BYTES) {
            return false;
        }
        bodyBytes += bytes;
        return true;
    }

    void giveBody(int bytes) {
        bodyBytes -= bytes;
    }

    /** {@return whether there is a place for one more reader of events} */
    synchronized boolean add(EventStream reader) {
        return readers.size() < HttpLimits.EVENT_READERS && readers.add(reader);
    }

    void remove(EventStream reader) {
        readers.remove(reader);
    }

    /** Counts events that wait for a reader; where they are too many, somebody is cut. */
    void takeEvents(int bytes) {
        if (eventBytes.addAndGet(bytes) > HttpLimits.ALL_EVENT_BYTES) {
            readers.stream().max(Comparator.comparingInt(EventStream::waiting))
                    .ifPresent(EventStream::cut);
        }
    }

    void giveEvents(int bytes) {
        eventBytes.addAndGet(-bytes);
    }
}
