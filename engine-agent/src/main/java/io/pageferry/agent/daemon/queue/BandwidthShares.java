package io.pageferry.agent.daemon.queue;

import io.pageferry.core.round.Bandwidth;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Shares a bandwidth fairly: what one does not want is for the others. */
public final class BandwidthShares {
    private BandwidthShares() {
    }

    /**
     * Shares a bandwidth.
     *
     * @param total  bytes a second, 0 for no bound
     * @param wanted of each, 0 for all that there is
     * @return of each; 0 for no bound, never less than can be asked for
     */
    public static List<Long> of(long total, List<Long> wanted) {
        if (total == 0) {
            return wanted;
        }
        List<Long> shares = new ArrayList<>(wanted);
        List<Integer> modestFirst = IntStream.range(0, wanted.size()).boxed()
                .sorted(Comparator.comparingLong(i -> wish(wanted.get(i)))).toList();
        long left = total;
        int others = wanted.size();
        for (int i : modestFirst) {
            long share = Math.min(wish(wanted.get(i)), left / others--);
            left -= share;
            shares.set(i, Math.max(Bandwidth.LEAST, share));
        }
        return shares;
    }

    private static long wish(long wanted) {
        return wanted == 0 ? Long.MAX_VALUE : wanted;
    }
}
