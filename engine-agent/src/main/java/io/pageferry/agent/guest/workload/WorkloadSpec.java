package io.pageferry.agent.guest.workload;

import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.words.Quantity;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * What a {@code workload:} URI asks for.
 *
 * @param size           bytes of memory, a multiple of 4096
 * @param set            first bytes that are filled and written, ≤ size
 * @param bytesPerSecond written by all writers together, counted in whole pages; 0 for none
 * @param fill           what the set holds at first
 * @param huge           whether the memory is made of huge pages of 2 MiB
 */
record WorkloadSpec(long size, long set, long bytesPerSecond, Fill fill, boolean huge) {
    private static final Set<String> KEYS = Set.of("rate", "set", "fill", "pages");
    private static final long MIN_SIZE = 1L << 20;
    private static final long MAX_SIZE = 1L << 44;

    /** What pages hold at first. */
    enum Fill {
        /** A third zero, a third half-random, a third random. */
        MIXED,
        /** All random. */
        RANDOM,
        /** All zero. */
        ZERO,
        /** English words. */
        TEXT
    }

    static WorkloadSpec parse(GuestUri uri) {
        for (String key : uri.parameters().keySet()) {
            if (!KEYS.contains(key)) {
                throw new IllegalArgumentException("workload: has no parameter '" + key
                        + "'; there are rate, set, fill and pages");
            }
        }
        long size = pageAligned(Quantity.bytes(uri.rest()));
        if (size < MIN_SIZE || size > MAX_SIZE) {
            throw new IllegalArgumentException("a workload has 1MiB to 16TiB, not " + uri.rest());
        }
        Map<String, String> given = uri.parameters();
        long set = given.containsKey("set") ? pageAligned(Quantity.bytes(given.get("set"))) : size;
        if (set < MIN_SIZE || set > size) {
            throw new IllegalArgumentException("set=" + given.get("set")
                    + " is not between 1MiB and the size " + uri.rest());
        }
        return new WorkloadSpec(size, set,
                Quantity.bytesPerSecond(given.getOrDefault("rate", "0")),
                fill(given.getOrDefault("fill", "mixed")),
                huge(given.getOrDefault("pages", "4KiB"), size));
    }

    private static boolean huge(String text, long size) {
        long bytes = Quantity.bytes(text);
        if (bytes != PageGeometry.PAGE_SIZE && bytes != SharedMemory.HUGE_PAGE) {
            throw new IllegalArgumentException("pages=" + text + ": there are 4KiB and 2MiB");
        }
        if (size % bytes != 0) {
            throw new IllegalArgumentException(size + " bytes are no multiple of pages=" + text);
        }
        return bytes == SharedMemory.HUGE_PAGE;
    }

    private static Fill fill(String text) {
        try {
            return Fill.valueOf(text.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "fill=" + text + ": there are mixed, random, zero and text", e);
        }
    }

    private static long pageAligned(long bytes) {
        return PageGeometry.bytesOf(PageGeometry.pagesFor(bytes));
    }
}
