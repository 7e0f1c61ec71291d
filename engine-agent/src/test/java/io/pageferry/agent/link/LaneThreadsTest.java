package io.pageferry.agent.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageEncoder;
import io.pageferry.core.dirty.MarkingTracker;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.precopy.RateLimiter;
import io.pageferry.core.precopy.RoundLane;
import io.pageferry.core.precopy.RoundRunner;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.PageSink;
import io.pageferry.core.round.PageSinkFilter;
import io.pageferry.core.testing.DirectSink;
import io.pageferry.core.testing.TestImage;
import io.pageferry.core.testing.TestMemory;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class LaneThreadsTest {
    private static final int LANES = 3;
    private static final RegionTable REGIONS = RegionTable.single("ram",
            PageGeometry.bytesOf((long) LANES * RoundLane.EXTENT_PAGES));

    private final TestMemory memory = new TestMemory(REGIONS);
    private final TestImage image = new TestImage(REGIONS);
    private final MarkingTracker tracker = new MarkingTracker(REGIONS.pageCount());
    private final Parts sink = new Parts();
    private final AtomicInteger asked = new AtomicInteger();
    private final RoundRunner runner = new RoundRunner(memory, tracker, IntStream.range(0, LANES)
            .mapToObj(i -> new PageEncoder(CodecChoice.NONE, 0, SystemNanoClock.INSTANCE))
            .toList(), new RateLimiter(SystemNanoClock.INSTANCE, Bandwidth.UNLIMITED));
    private LaneThreads threads;

    /** A part for each lane, which notes the thread that fills it; one breaks where wanted. */
    private final class Parts extends PageSinkFilter {
        private final List<DirectSink> sinks =
                IntStream.range(0, LANES).mapToObj(i -> new DirectSink(image)).toList();
        private final ConcurrentHashMap<Integer, Thread> by = new ConcurrentHashMap<>();
        private volatile int broken = -1;

        @Override
        protected PageSink sink() {
            return sinks.getFirst();
        }

        @Override
        public int lanes() {
            return LANES;
        }

        @Override
        public PageSink lane(int index, int of) {
            return new PageSinkFilter() {
                @Override
                protected PageSink sink() {
                    return sinks.get(index);
                }

                @Override
                public void commit(PageBatch batch) {
                    by.put(index, Thread.currentThread());
                    if (index == broken) {
                        throw new IllegalStateException("lane " + index);
                    }
                    super.commit(batch);
                }
            };
        }
    }

    @AfterEach
    void close() {
        if (threads != null) {
            threads.close();
        }
        runner.close();
        sink.sinks.forEach(DirectSink::close);
        tracker.close();
        image.close();
        memory.close();
    }

    /** As on a host of three processors, whatever this one has. */
    private void begin() throws Exception {
        for (long page = 0; page < REGIONS.pageCount(); page++) {
            byte[] bytes = new byte[PageGeometry.PAGE_SIZE];
            bytes[0] = 1;
            memory.write(page, bytes);
        }
        threads = LaneThreads.start(most -> {
            asked.set(most);
            return runner.handOut(LANES - 1);
        });
        runner.start(sink);
        runner.harvest();
        runner.begin(0, false, 0);
    }

    private void encode() {
        while (!runner.isEncoded()) {
            assertFalse(Thread.interrupted(), "a round that does not end");
            runner.step(64);
            Thread.yield();
        }
    }

    @Test
    void eachLaneHasAThreadOfItsOwnUntilTheEnd() throws Exception {
        begin();
        assertEquals(Runtime.getRuntime().availableProcessors() - 1, asked.get());
        encode();
        assertEquals(Thread.currentThread(), sink.by.get(0));
        Thread second = sink.by.get(1);
        Thread third = sink.by.get(2);
        assertNotEquals(second, third);
        for (Thread one : List.of(second, third)) {
            assertEquals("pageferry-lane", one.getName());
            assertTrue(one.isDaemon());
            assertTrue(one.isAlive());
        }
        threads.close();
        assertFalse(second.isAlive());
        assertFalse(third.isAlive());
        threads.close();
    }

    @Test
    void whatALaneThrowsIsThrownWhereTheRoundsAreRun() throws Exception {
        sink.broken = 1;
        begin();
        IllegalStateException e = assertThrows(IllegalStateException.class, this::encode);
        assertEquals("lane 1", e.getMessage());
        threads.close();
        assertFalse(sink.by.get(1).isAlive());
    }
}
