package io.pageferry.agent.host.throttle;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToLongFunction;

/**
 * What being held cost some threads, from the processor time that the kernel reports and for how
 * long they were held. A thread that was not held used a share of the time; the same share of the
 * time for which it was held is what it lost. So one that rests loses nothing that it wanted, and
 * one that waits for a processor like all others does not count as held. One thread.
 */
final class LostTime {
    /** The kernel accounts for a held thread at the end of a period only. */
    private static final long STRETCH_NANOS = 100_000_000;

    private final ThrottledProcess throttled;
    private final ToLongFunction<Long> heldNanos;
    private final Map<Long, Account> accounts = new TreeMap<>();
    private long lastNanos;
    private long stretchNanos;
    private double lostNanos;
    private long reported;

    /** Of one thread, in the stretch of time under way. */
    private static final class Account {
        private long usedBefore;
        private long heldBefore;
        private long used;
        private long held;

        private double lost(long nanos) {
            double most = Math.min(held, nanos);
            return used >= nanos - most ? most : most * used / (nanos - most);
        }
    }

    /**
     * Begins with nothing lost.
     *
     * @param throttled   whose threads they are
     * @param heldNanos for how long a thread was held so far
     * @param nowNanos  the clock
     */
    LostTime(ThrottledProcess throttled, ToLongFunction<Long> heldNanos, long nowNanos) {
        this.throttled = throttled;
        this.heldNanos = heldNanos;
        this.lastNanos = nowNanos;
    }

    /**
     * Looks at the threads; the time since the last look was spent in one way.
     *
     * @param threads  those that are there
     * @param held     whether they were held since
     * @param nowNanos the clock
     */
    void look(Set<Long> threads, boolean held, long nowNanos) {
        long passed = nowNanos - lastNanos;
        lastNanos = nowNanos;
        for (Long thread : threads) {
            OptionalLong used = usedNanos(thread);
            if (used.isPresent()) {
                note(accounts.computeIfAbsent(thread, fresh -> new Account()), held,
                        used.getAsLong(), heldNanos.applyAsLong(thread));
            }
        }
        if (held) {
            stretchNanos += passed;
        }
        if (stretchNanos >= STRETCH_NANOS) {
            change();
        }
    }

    private static void note(Account account, boolean held, long used, long heldSoFar) {
        if (held && account.usedBefore > 0) {
            account.used += used - account.usedBefore;
            account.held += Math.max(0, heldSoFar - account.heldBefore);
        }
        account.usedBefore = used;
        account.heldBefore = heldSoFar;
    }

    /** Processor time of a thread (proc(5), schedstat), empty where it ended. */
    private OptionalLong usedNanos(long thread) {
        try {
            String times = Files.readString(throttled.task(thread).resolve("schedstat"),
                    StandardCharsets.ISO_8859_1);
            return OptionalLong.of(Long.parseLong(times.substring(0, times.indexOf(' '))));
        } catch (IOException | RuntimeException e) {
            return OptionalLong.empty();
        }
    }

    /** From now on they are held in another way: what was is settled. */
    void change() {
        lostNanos += lostInStretch();
        stretchNanos = 0;
        accounts.values().forEach(account -> {
            account.used = 0;
            account.held = 0;
        });
    }

    private double lostInStretch() {
        double wanted = 0;
        double lost = 0;
        for (Account account : accounts.values()) {
            double one = account.lost(stretchNanos);
            lost += one;
            wanted += one + account.used;
        }
        return wanted == 0 ? 0 : stretchNanos * lost / wanted;
    }

    /**
     * Returns what was lost so far.
     *
     * @return nanoseconds of the guest's time: the share of what all its threads wanted that they
     *         did not get while they were held, times as long as that was; never less than before
     */
    long nanos() {
        reported = Math.max(reported, (long) (lostNanos + lostInStretch()));
        return reported;
    }
}
