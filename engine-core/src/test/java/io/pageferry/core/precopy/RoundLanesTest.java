package io.pageferry.core.precopy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageEncoder;
import io.pageferry.core.dirty.MarkingTracker;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.PageSink;
import io.pageferry.core.round.PageSinkFilter;
import io.pageferry.core.round.RoundStats;
import io.pageferry.core.testing.DirectSink;
import io.pageferry.core.testing.TestImage;
import io.pageferry.core.testing.TestMemory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several lanes encode one round, on threads of their own, while the guest writes. */
@Timeout(120)
class RoundLanesTest {
    private static final int LANES = 3;
    private static final RegionTable REGIONS = new RegionTable(List.of(
            region(0, "ram", 5L * RoundLane.EXTENT_PAGES + 77),
            region(1, "more", 3L * RoundLane.EXTENT_PAGES + 5)));
    private static final int PAGES = (int) REGIONS.pageCount();

    private static final long SEED = Long.getLong("pageferry.test.seed", 3);

    private final Random random = new Random(SEED);
    private final TestMemory memory = new TestMemory(REGIONS);
    private final TestImage image = new TestImage(REGIONS);
    private final MarkingTracker tracker = new MarkingTracker(PAGES);
    private final Parts sink = new Parts();
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final AtomicReference<Throwable> broken = new AtomicReference<>();
    private final List<Thread> threads = new ArrayList<>();
    private Failing failing = new Failing();
    private RoundRunner runner = runner(failing);

    private static Region region(int id, String name, long pages) {
        return new Region(id, name, id * (1L << 32), PageGeometry.bytesOf(pages),
                PageGeometry.PAGE_SIZE);
    }

    /** The guest's memory, one page of which cannot be read once that is wanted. */
    private class Failing implements PageSource {
        private volatile long unreadable = -1;
        private volatile Error instead;

        @Override
        public RegionTable regions() {
            return REGIONS;
        }

        @Override
        public int read(long page, int count, MemorySegment into, long at) {
            if (unreadable >= page && unreadable < page + count) {
                if (instead != null) {
                    throw instead;
                }
                throw new UncheckedIOException(new IOException("page " + unreadable));
            }
            return memory.read(page, count, into, at);
        }

        @Override
        public boolean readsFromAnyThread() {
            return true;
        }

        @Override
        public long nextData(long page) {
            return memory.nextData(page);
        }

        @Override
        public long nextHole(long page) {
            return memory.nextHole(page);
        }
    }

    /** A sink with a part for each lane; each applies at once, or keeps all as a debt. */
    private final class Parts extends PageSinkFilter {
        private final List<DirectSink> sinks = Stream.generate(() -> new DirectSink(image))
                .limit(LANES).toList();
        private final List<Set<Long>> debts = Stream.<Set<Long>>generate(HashSet::new)
                .limit(LANES).toList();
        private final Set<Integer> given = new HashSet<>();
        private volatile boolean owes;

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
            given.add(index);
            return new PageSinkFilter() {
                @Override
                protected PageSink sink() {
                    return sinks.get(index);
                }

                @Override
                public void commit(PageBatch batch) {
                    if (owes) {
                        for (int i = 0; i < batch.count(); i++) {
                            debts.get(index).add(PageBatch.pageOf(batch.descriptorAt(i)));
                        }
                    } else {
                        super.commit(batch);
                    }
                }

                @Override
                public long reclaim(LongConsumer pages) {
                    debts.get(index).forEach(pages::accept);
                    debts.get(index).clear();
                    return 1;
                }
            };
        }

        List<Long> takePages() {
            return sinks.stream().flatMap(one -> one.takePages().stream()).toList();
        }
    }

    private RoundRunner runner(PageSource of) {
        return new RoundRunner(of, tracker, IntStream.range(0, LANES).mapToObj(i ->
                new PageEncoder(CodecChoice.ADAPTIVE, 1 << 20, SystemNanoClock.INSTANCE)).toList(),
                new RateLimiter(SystemNanoClock.INSTANCE, Bandwidth.UNLIMITED));
    }

    @AfterEach
    void close() throws InterruptedException {
        stopped.set(true);
        for (Thread thread : threads) {
            thread.join();
        }
        runner.close();
        sink.sinks.forEach(DirectSink::close);
        tracker.close();
        image.close();
        memory.close();
        assertNull(broken.get(), "seed " + SEED);
    }

    private void thread(Runnable turn) {
        threads.add(Thread.ofPlatform().uncaughtExceptionHandler((t, e) -> broken.set(e))
                .start(() -> {
                    while (!stopped.get()) {
                        turn.run();
                    }
                }));
    }

    private void drive(List<RoundLane> lanes) {
        lanes.forEach(lane -> thread(() -> {
            if (lane.doWork() == 0) {
                Thread.yield();
            }
        }));
    }

    private void fill() {
        for (int page = 0; page < PAGES; page++) {
            if (random.nextInt(8) > 0) {
                write(page, random.nextInt(4) == 0);
            }
        }
    }

    /** Bytes that shrink, or noise. */
    private void write(long page, boolean noise) {
        byte[] bytes = new byte[PageGeometry.PAGE_SIZE];
        if (noise) {
            random.nextBytes(bytes);
        } else {
            bytes[random.nextInt(bytes.length)] = (byte) (1 + random.nextInt(255));
        }
        memory.write(page, bytes);
        tracker.mark(page);
    }

    private RoundStats round(int round) {
        runner.harvest();
        runner.begin(round, false, 0);
        while (!runner.isEncoded()) {
            assertFalse(Thread.interrupted(), "a round that does not end");
            if (runner.step(64) == 0) {
                Thread.yield();
            }
        }
        assertFalse(runner.left() > 0 && !runner.isDirty(), "a batch is not committed");
        return runner.finish(1);
    }

    private void assertEqual() {
        ChecksumTable expected = new ChecksumTable(PAGES);
        PageChecksum sum = new PageChecksum();
        for (int page = 0; page < PAGES; page++) {
            byte[] bytes = memory.read(page);
            assertArrayEquals(bytes, image.read(page), "page " + page + ", seed " + SEED);
            expected.set(page, sum.of(ByteBuffer.allocateDirect(bytes.length).put(0, bytes), 0));
        }
        assertEquals(expected.digest(), runner.sent().digest(), "seed " + SEED);
        expected.close();
    }

    @Test
    void threadsEncodeWhileTheGuestWritesAndNothingIsLost() throws Exception {
        drive(runner.handOut(LANES - 1));
        fill();
        runner.start(sink);
        assertEquals(Set.of(0, 1, 2), sink.given);
        Random writes = new Random(SEED + 1);
        AtomicBoolean rests = new AtomicBoolean();
        Thread writer = Thread.ofPlatform().start(() -> {
            while (!rests.get()) {
                write(writes.nextInt(PAGES), writes.nextBoolean());
            }
        });
        for (int round = 0; round < 20; round++) {
            RoundStats did = round(round);
            List<Long> pages = sink.takePages();
            assertEquals(pages.size(), Set.copyOf(pages).size(), "a page twice in a round");
            assertEquals(did.sentPages(), pages.size());
            assertEquals(did.dirtyPages(), did.sentPages() + did.skipped());
        }
        rests.set(true);
        writer.join();
        round(20);
        assertEquals(0, runner.left());
        assertEqual();
    }

    @Test
    void aLinkLostInTheMiddleOfARoundOwesNothingAfterwards() throws Exception {
        drive(runner.handOut(LANES - 1));
        fill();
        runner.start(sink);
        sink.owes = true;
        runner.harvest();
        runner.begin(0, false, 0);
        int some = random.nextInt(PAGES);
        while (runner.handled() < some && !runner.isEncoded()) {
            runner.step(64);
        }
        runner.finish(1);
        runner.reclaimDebt();
        assertEquals(memory.dataPages(), runner.left(), "seed " + SEED);
        assertTrue(runner.isEncoded(), "no lane goes on by itself");
        sink.owes = false;
        round(1);
        assertEqual();
    }

    @Test
    void aRoundThatIsCutShortEndsAndKeepsTheRest() throws Exception {
        drive(runner.handOut(LANES - 1));
        fill();
        runner.start(sink);
        runner.harvest();
        runner.begin(0, false, 0);
        runner.step(64);
        runner.cutShort();
        while (!runner.isEncoded()) {
            runner.step(64);
        }
        long sent = runner.finish(1).sentPages();
        assertEquals(memory.dataPages() - sent, runner.left());
        round(1);
        assertEqual();
    }

    @Test
    void memoryThatALaneCannotReadFailsWhereTheRoundsAreRun() throws Exception {
        drive(runner.handOut(LANES - 1));
        fill();
        // In the second lane's first extent.
        failing.unreadable = RoundLane.EXTENT_PAGES + 3;
        write(failing.unreadable, true);
        runner.start(sink);
        UncheckedIOException e = assertThrows(UncheckedIOException.class, () -> round(0));
        assertEquals("page " + failing.unreadable, e.getCause().getMessage());
    }

    /** Whatever a lane throws: a round that never ends would be the other choice. */
    @Test
    void anErrorOfALaneIsThrownThereToo() throws Exception {
        drive(runner.handOut(LANES - 1));
        fill();
        failing.unreadable = RoundLane.EXTENT_PAGES + 3;
        failing.instead = new NoClassDefFoundError("a codec");
        write(failing.unreadable, true);
        runner.start(sink);
        assertSame(failing.instead, assertThrows(NoClassDefFoundError.class, () -> round(0)));
    }

    @Test
    void lanesThatNobodyTookAreDrivenWithTheFirst() throws Exception {
        fill();
        runner.start(sink);
        round(0);
        assertTrue(sink.sinks.stream().noneMatch(one -> one.takePages().isEmpty()));
        assertEqual();
    }

    /** A guest of few extents has work for the first lanes alone: these are to have threads. */
    @Test
    void theLanesBehindTheFirstAreHandedOutFirst() throws Exception {
        fill();
        List<RoundLane> handedOut = runner.handOut(1);
        runner.start(sink);
        runner.harvest();
        runner.begin(0, false, 0);
        while (runner.step(64) > 0) {
            assertTrue(sink.sinks.get(1).takePages().isEmpty(), "it has a driver");
        }
        assertFalse(runner.isEncoded());
        assertFalse(sink.sinks.get(2).takePages().isEmpty(), "nobody drives the third");
        while (handedOut.getFirst().doWork() > 0) {
            assertEquals(1, handedOut.size());
        }
        assertTrue(runner.isEncoded());
        assertFalse(sink.sinks.get(1).takePages().isEmpty());
        runner.finish(1);
        assertEqual();
    }

    @Test
    void memoryOfOneThreadHasOneLane() throws Exception {
        runner.close();
        runner = runner(new Failing() {
            @Override
            public boolean readsFromAnyThread() {
                return false;
            }
        });
        drive(runner.handOut(LANES - 1));
        fill();
        runner.start(sink);
        assertEquals(Set.of(0), sink.given);
        round(0);
        assertEqual();
    }
}
