package io.pageferry.core.memory.scan;

import com.dynatrace.hash4j.hashing.ByteAccess;
import com.dynatrace.hash4j.hashing.Hasher64;
import com.dynatrace.hash4j.hashing.Hashing;
import io.pageferry.core.memory.PageGeometry;
import java.lang.foreign.MemorySegment;

/**
 * A 64-bit hash of single pages, by which "unchanged" may be decided: two different pages have the
 * same one once in 2⁶⁴. Which hash, and why: docs/adr/0006. Stateless, any thread.
 */
public final class PageHash {
    /** What no page has: zeroed memory means that no hash is known. */
    public static final long NONE = 0;

    private static final Hasher64 HASHER = Hashing.xxh3_64();
    private static final ByteAccess<MemorySegment> ACCESS =
            ByteAccess.forMemorySegment(MemorySegment.class);

    private PageHash() {
    }

    /**
     * Hashes one page.
     *
     * @param memory holds it
     * @param at     offset of its first byte
     * @return XXH3 (64 bits, seed 0) of its 4096 bytes, never {@link #NONE}
     */
    public static long of(MemorySegment memory, long at) {
        long hash = HASHER.hashBytesToLong(memory, at, PageGeometry.PAGE_SIZE, ACCESS);
        return hash == NONE ? 1 : hash;
    }
}
