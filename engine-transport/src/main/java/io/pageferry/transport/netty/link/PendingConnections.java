package io.pageferry.transport.netty.link;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The connections that proved nothing yet: whoever reaches the port can make any number of them.
 * None is turned away; where there are too many, of one origin or at all, the oldest that is
 * silent makes way, or else the oldest; where what they sent takes too much memory, the oldest that
 * has some. So silence keeps nobody out. Any thread.
 */
final class PendingConnections {
    /**
     * What the bodies of their messages may take together, beyond the 4 KiB that each has, and
     * their TLS handshakes: two of the longest HELLOs, and 250 of the usual ones or of the latter.
     */
    static final long MOST_BYTES = 4L << 20;

    /** A source opens 64 data channels at once, and a question or two beside them. */
    static final int MOST_OF_ONE_ORIGIN = 96;

    private final int most;
    /** By age, with the bytes that each has taken. */
    private final Map<Pending, Long> all = new LinkedHashMap<>();
    private long bytes;

    /** One of them. */
    interface Pending {
        /** Where it comes from: an address, or over a unix socket the user. */
        Object origin();

        /** Whether its preamble did not come yet. */
        boolean isSilent();

        /** Closes it, on whatever thread that has to be. */
        void makeWay(String why);
    }

    /**
     * Begins with none.
     *
     * @param most at once
     */
    PendingConnections(int most) {
        this.most = most;
    }

    /** Adds one; returns at once. */
    void add(Pending fresh) {
        List<Pending> leaving = new ArrayList<>();
        synchronized (this) {
            List<Pending> same = all.keySet().stream()
                    .filter(one -> one.origin().equals(fresh.origin())).toList();
            if (same.size() >= MOST_OF_ONE_ORIGIN) {
                forget(first(same), leaving);
            } else if (all.size() >= most) {
                forget(first(all.keySet()), leaving);
            }
            all.put(fresh, 0L);
        }
        leaving.forEach(one -> one.makeWay("a newer connection took its place"));
    }

    /** The oldest that has said nothing, else the oldest. */
    private static Pending first(Collection<Pending> byAge) {
        return byAge.stream().filter(Pending::isSilent).findFirst()
                .orElseGet(() -> byAge.iterator().next());
    }

    private void forget(Pending one, List<Pending> leaving) {
        bytes -= all.remove(one);
        leaving.add(one);
    }

    /** Takes memory for one; others make way for it, the oldest that have some first. */
    void take(Pending one, int more) {
        List<Pending> leaving = new ArrayList<>();
        synchronized (this) {
            if (all.computeIfPresent(one, (any, had) -> had + more) == null) {
                return;
            }
            bytes += more;
            while (bytes > MOST_BYTES) {
                Optional<Pending> other = all.entrySet().stream()
                        .filter(entry -> entry.getValue() > 0 && entry.getKey() != one)
                        .map(Map.Entry::getKey).findFirst();
                if (other.isEmpty()) {
                    break;
                }
                forget(other.get(), leaving);
            }
        }
        leaving.forEach(other -> other.makeWay("another connection needed its memory"));
    }

    /** Removes one that proved something, or ended. Idempotent. */
    synchronized void remove(Pending one) {
        Long had = all.remove(one);
        bytes -= had == null ? 0 : had;
    }
}
