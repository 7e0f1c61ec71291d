package io.pageferry.agent.throttle;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToLongFunction;

/**
 * What being held cost some threads, from the processor time that the kernel says they got. While
 * they are free it is learnt how much they want; while they are held, a thread lost what it got
 * less than that, but never more than it was held: one that went to sleep by itself lost nothing.
 * One thread.
 */
final class LostTime {
    /** Less than this of a free thread says little about what it wants. */
    private static final long LEARN_NANOS = 50_000_000;

    /** What was learnt counts half after as long. */
    private static final long FORGET_NANOS = 1_000_000_000;

    private final Subject subject;
    private final ToLongFunction<Long> heldNanos;
    private final Map<Long, Account> accounts = new TreeMap<>();
    private long lastNanos;
    private long throttledNanos;
    private long reported;

    /** Of one thread. */
    private static final class Account {
        private long usedBefore;
        private double freeUsed;
        private double freeNanos;
        private double wanted;
        private double used;

        /** The share of a processor that it uses when it may; all where that is not known. */
        private double share() {
            return freeNanos < LEARN_NANOS ? 1 : Math.min(1, freeUsed / freeNanos);
        }

        private void free(long usedNanos, long nanos) {
            if (freeNanos > FORGET_NANOS) {
                freeUsed /= 2;
                freeNanos /= 2;
            }
            freeUsed += usedNanos;
            freeNanos += nanos;
        }

        private void held(long usedNanos, long nanos) {
            wanted += share() * nanos;
            used += usedNanos;
        }
    }

    /**
     * Begins with nothing lost.
     *
     * @param subject   whose threads they are
     * @param heldNanos for how long a thread was held so far
     * @param nowNanos  the clock
     */
    LostTime(Subject subject, ToLongFunction<Long> heldNanos, long nowNanos) {
        this.subject = subject;
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
        if (held) {
            throttledNanos += passed;
        }
        for (Long thread : threads) {
            OptionalLong used = usedNanos(thread);
            if (used.isEmpty()) {
                continue;
            }
            Account account = accounts.get(thread);
            if (account == null) {
                account = new Account();
                accounts.put(thread, account);
            } else if (held) {
                account.held(used.getAsLong() - account.usedBefore, passed);
            } else {
                account.free(used.getAsLong() - account.usedBefore, passed);
            }
            account.usedBefore = used.getAsLong();
        }
    }

    /** Processor time of a thread (proc(5), schedstat), empty where it ended. */
    private OptionalLong usedNanos(long thread) {
        try {
            String times = Files.readString(subject.task(thread).resolve("schedstat"),
                    StandardCharsets.ISO_8859_1);
            return OptionalLong.of(Long.parseLong(times.substring(0, times.indexOf(' '))));
        } catch (IOException | RuntimeException ended) {
            return OptionalLong.empty();
        }
    }

    /**
     * Tells what was lost so far.
     *
     * @return nanoseconds of the guest's time: its threads were kept from this share of what they
     *         wanted while they were held, times as long as that was
     */
    long nanos() {
        double wanted = 0;
        double lost = 0;
        for (Map.Entry<Long, Account> one : accounts.entrySet()) {
            Account account = one.getValue();
            wanted += account.wanted;
            lost += Math.clamp(account.wanted - account.used, 0,
                    (double) heldNanos.applyAsLong(one.getKey()));
        }
        // A second of time in which nobody wanted a hundredth of it is noise.
        if (wanted > throttledNanos / 100.0) {
            reported = Math.max(reported, (long) (throttledNanos * lost / wanted));
        }
        return reported;
    }
}
