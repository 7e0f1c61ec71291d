package io.pageferry.core.testing;

import io.pageferry.core.memory.PageGeometry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/**
 * What stands in a hole of test memory: bytes that do not compress and that no workload writes.
 * On a real machine a hole that is read through a window gives zeros and costs a page; here it
 * gives these bytes, so that whoever reads one is found out.
 */
final class Poison {
    private static final long POISON_SEED = 0x6E6F5F72656164L;
    private static final MemorySegment PAGE = page();

    private Poison() {
    }

    static void fill(MemorySegment memory, long offset) {
        MemorySegment.copy(PAGE, 0, memory, offset, PageGeometry.PAGE_SIZE);
    }

    static boolean is(MemorySegment memory, long offset) {
        return memory.get(ValueLayout.JAVA_LONG_UNALIGNED, offset)
                == PAGE.get(ValueLayout.JAVA_LONG_UNALIGNED, 0)
                && MemorySegment.mismatch(memory, offset, offset + PageGeometry.PAGE_SIZE,
                        PAGE, 0, PageGeometry.PAGE_SIZE) == -1;
    }

    private static MemorySegment page() {
        byte[] bytes = new byte[PageGeometry.PAGE_SIZE];
        new Random(POISON_SEED).nextBytes(bytes);
        return Arena.global().allocate(bytes.length, Long.BYTES)
                .copyFrom(MemorySegment.ofArray(bytes));
    }
}
