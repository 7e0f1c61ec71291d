package io.pageferry.agent.guest.kvm;

import io.pageferry.agent.guest.GuestUri;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.words.Quantity;
import java.util.Set;

/**
 * What a {@code kvm:} URI asks for.
 *
 * @param size bytes of memory, a multiple of 4096
 * @param set  first bytes that the guest works on, a multiple of 4096
 */
record KvmSpec(long size, long set) {
    static final String SCHEME = "kvm";

    private static final long MIN = 1L << 20;
    /** The guest has 32-bit addresses, and a processor has something of its own below 4 GiB. */
    private static final long MAX = 2L << 30;

    static KvmSpec parse(GuestUri uri) {
        if (!Set.of("set").containsAll(uri.parameters().keySet())) {
            throw new IllegalArgumentException("kvm: has one parameter, set, not "
                    + uri.parameters().keySet());
        }
        long size = pageAligned(Quantity.bytes(uri.rest()));
        if (size < MIN || size > MAX) {
            throw new IllegalArgumentException("a kvm guest has 1MiB to 2GiB, not " + uri.rest());
        }
        String given = uri.parameters().getOrDefault("set", uri.rest());
        long set = pageAligned(Quantity.bytes(given));
        if (set < MIN || set > size) {
            throw new IllegalArgumentException("set=" + given
                    + " is not between 1MiB and the size " + uri.rest());
        }
        return new KvmSpec(size, set);
    }

    private static long pageAligned(long bytes) {
        return PageGeometry.bytesOf(PageGeometry.pagesFor(bytes));
    }
}
