package io.pageferry.core.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.pageferry.core.memory.scan.SentHashes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Tables of which whoever notes the first page in a chunk makes it, whichever thread that is. */
class TablesOfThreadsTest {
    private static final int TRIES = 300;

    @Test
    void checksumsThatTwoThreadsNoteFirstAreBothKept() throws Exception {
        for (int i = 0; i < TRIES; i++) {
            try (ChecksumTable table = new ChecksumTable(2)) {
                atOnce(() -> table.put(0, 7), () -> table.put(1, 8));
                assertEquals(List.of(7, 8), List.of(table.get(0), table.get(1)), "try " + i);
            }
        }
    }

    @Test
    void hashesThatTwoThreadsNoteFirstAreBothKept() throws Exception {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment page = arena.allocate(PageGeometry.PAGE_SIZE);
            page.fill((byte) 7);
            for (int i = 0; i < TRIES; i++) {
                try (SentHashes table = new SentHashes(2)) {
                    atOnce(() -> table.set(0, page, 0), () -> table.set(1, page, 0));
                    assertFalse(table.differs(0, page, 0), "the first of try " + i);
                    assertFalse(table.differs(1, page, 0), "the second of try " + i);
                }
            }
        }
    }

    private static void atOnce(Runnable one, Runnable two) throws Exception {
        CyclicBarrier both = new CyclicBarrier(2);
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<Future<?>> ends = List.of(one, two).stream().<Future<?>>map(act ->
                    threads.submit(() -> {
                        both.await();
                        act.run();
                        return null;
                    })).toList();
            for (Future<?> end : ends) {
                end.get();
            }
        }
    }
}
