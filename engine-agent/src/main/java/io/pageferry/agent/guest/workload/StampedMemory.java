package io.pageferry.agent.guest.workload;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.pageferry.core.memory.PageGeometry;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;

/**
 * Memory that knows what it should hold. Page 0 holds the tick; then comes a table with a version
 * for each page of the working set; every data page carries its number and version in eight places.
 * A page that was lost, is stale or stands at a wrong place contradicts the table, which migrates
 * with it.
 *
 * <p>Each page is used by one thread at a time; the caller sees to that.
 */
final class StampedMemory {
    private static final int PAGE = PageGeometry.PAGE_SIZE;
    private static final int STAMPS = 8;
    private static final int STRIDE = PAGE / STAMPS;
    private static final int VERSIONS_A_PAGE = PAGE / Integer.BYTES;

    private static final String[] WORDS = ("the of and to in that it is was for on as with be by"
            + " at this have from or one had not but what all were when we there can an your which"
            + " their said if do will each about how up out them then she many some so these would"
            + " other into has more two like him see time could no make than first been its who"
            + " now people my made over did down only way find use may water long little very after"
            + " words called just where most know through back much before go good new write our"
            + " guest memory page migration source target round").split(" ");

    private final MemorySegment memory;
    private final long firstData;
    private final long pages;
    private final LongConsumer written;

    /**
     * Looks at memory.
     *
     * @param memory  of the guest
     * @param set     bytes at its start that are used, a multiple of 4096
     * @param written called with each page after it was written
     */
    StampedMemory(MemorySegment memory, long set, LongConsumer written) {
        this.memory = memory;
        this.pages = set / PAGE;
        this.firstData = 1 + (pages + VERSIONS_A_PAGE - 1) / VERSIONS_A_PAGE;
        this.written = written;
    }

    long firstDataPage() {
        return firstData;
    }

    long pageCount() {
        return pages;
    }

    /** Fills the data pages; versions stay 0, so stamps are 0. */
    void fill(WorkloadSpec.Fill fill, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (long page = firstData; page < pages; page++) {
            long kind = fill == WorkloadSpec.Fill.MIXED ? page % 3 : 2;
            if (fill == WorkloadSpec.Fill.ZERO || kind == 0) {
                // Written all the same: a working set is resident, whatever it holds.
                memory.set(JAVA_LONG, page * PAGE, 0);
            } else if (fill == WorkloadSpec.Fill.TEXT) {
                writeText(page, random);
            } else {
                fillPage(page, kind == 1 ? PAGE / 2 : PAGE, random);
            }
            written.accept(page);
        }
    }

    /** Words in a random order, the first ones more often than the last. */
    private void writeText(long page, SplittableRandom random) {
        StringBuilder text = new StringBuilder(PAGE + 16);
        while (text.length() < PAGE) {
            int one = random.nextInt(WORDS.length);
            text.append(WORDS[Math.min(one, random.nextInt(WORDS.length))])
                    .append(random.nextInt(12) == 0 ? ".\n" : " ");
        }
        MemorySegment.copy(text.toString().getBytes(StandardCharsets.US_ASCII), 0, memory,
                JAVA_BYTE, page * PAGE, PAGE);
        for (int i = 0; i < STAMPS; i++) {
            memory.set(JAVA_LONG, page * PAGE + (long) i * STRIDE, 0);
        }
    }

    private void fillPage(long page, int bytes, SplittableRandom random) {
        long base = page * PAGE;
        for (int at = 0; at < bytes; at += Long.BYTES) {
            memory.set(JAVA_LONG, base + at, at % STRIDE == 0 ? 0 : random.nextLong());
        }
    }

    /** Checks a page and writes its next version; returns whether it was what it should be. */
    boolean rewrite(long page) {
        boolean good = check(page);
        int version = version(page) + 1;
        long stamp = stamp(page, version);
        for (int i = 0; i < STAMPS; i++) {
            memory.set(JAVA_LONG, page * PAGE + (long) i * STRIDE, stamp + i);
        }
        written.accept(page);
        memory.set(JAVA_INT, PAGE + page * Integer.BYTES, version);
        written.accept(1 + page / VERSIONS_A_PAGE);
        return good;
    }

    /** Whether a page holds the stamps of its version. */
    boolean check(long page) {
        int version = version(page);
        long stamp = stamp(page, version);
        for (int i = 0; i < STAMPS; i++) {
            long expected = version == 0 ? 0 : stamp + i;
            if (memory.get(JAVA_LONG, page * PAGE + (long) i * STRIDE) != expected) {
                return false;
            }
        }
        return true;
    }

    /** Counts the pages that are not what they should be. */
    long sweep() {
        long bad = 0;
        for (long page = firstData; page < pages; page++) {
            bad += check(page) ? 0 : 1;
        }
        return bad;
    }

    long tick() {
        return memory.get(JAVA_LONG, 0);
    }

    void tick(long tick) {
        memory.set(JAVA_LONG, 0, tick);
        written.accept(0);
    }

    private int version(long page) {
        return memory.get(JAVA_INT, PAGE + page * Integer.BYTES);
    }

    private static long stamp(long page, int version) {
        return ((long) version << 40 ^ page << 4) | 1L << 63;
    }
}
