package io.pageferry.core.link.flow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.Link;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.precopy.RateLimiter;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.testing.ManualClock;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** A device state on its way over a bounded link, by a clock that the test moves. */
class StateChunkerTest {
    private static final long SEED = 20_261_125;
    private static final long SECOND = 1_000_000_000L;
    private static final long EPOCH = 3;

    private final Random random = new Random(SEED);
    private final ManualClock clock = new ManualClock(Long.MAX_VALUE - SECOND);
    private final Wire wire = new Wire();

    @Test
    void keepsWithinThreePercentInEverySecondAndUsesNineTenths() throws IOException {
        for (long rate : List.of(Bandwidth.LEAST, 1_250_000L, 12_500_000L)) {
            wire.chunks.clear();
            wire.at.clear();
            byte[] state = new byte[(int) (3 * rate)];
            random.nextBytes(state);
            long start = clock.nanoTime();
            StateChunker chunker = chunker(new Bandwidth(0, rate), state);
            while (!chunker.isSent()) {
                chunker.pump();
                clock.advance(random.nextInt(400_000));
            }
            assertBounded(rate);
            double used = state.length * (double) SECOND / (clock.nanoTime() - start);
            assertTrue(used >= 0.9 * rate, () -> used + " of " + rate + ", seed " + SEED);
            assertArrayEquals(state, wire.state());
        }
    }

    @Test
    void aLinkThatTakesNothingForLongGetsNoBurst() throws IOException {
        long rate = 1_250_000;
        byte[] state = new byte[(int) (3 * rate)];
        StateChunker chunker = chunker(new Bandwidth(0, rate), state);
        for (int i = 0; !chunker.isSent(); i++) {
            wire.full = i / 1_000 % 2 == 1;
            chunker.pump();
            wire.outbox.flush();
            clock.advance(500_000);
        }
        wire.full = false;
        wire.outbox.flush();
        assertBounded(rate);
        assertArrayEquals(state, wire.state());
    }

    @Test
    void withoutABoundItGoesOutAsItIsSaved() throws IOException {
        byte[] state = new byte[700_000];
        random.nextBytes(state);
        StateChunker chunker = chunker(new Bandwidth(Bandwidth.LEAST, 0), state);
        assertTrue(chunker.isSent());
        assertEquals(3, wire.chunks.size());
        assertArrayEquals(state, wire.state());
    }

    /** Has saved a state, and says what it is to say of it. */
    private StateChunker chunker(Bandwidth bandwidth, byte[] state) throws IOException {
        RateLimiter limiter = new RateLimiter(clock, bandwidth);
        limiter.roundBegins(true);
        StateChunker chunker = new StateChunker(wire.outbox, limiter, EPOCH);
        for (int at = 0; at < state.length; at += 1_000) {
            chunker.write(state, at, Math.min(1_000, state.length - at));
        }
        CRC32C crc = new CRC32C();
        crc.update(state);
        assertEquals(new Message.StateSum(state.length, crc.getValue()), chunker.finish());
        return chunker;
    }

    /** Every second that begins with a chunk; no other carries more. */
    private void assertBounded(long rate) {
        int first = 0;
        long sum = 0;
        for (int last = 0; last < wire.at.size(); last++) {
            sum += wire.chunks.get(last).bytes().length + StateChunker.HEADERS;
            while (wire.at.get(last) - wire.at.get(first) >= SECOND) {
                sum -= wire.chunks.get(first++).bytes().length + StateChunker.HEADERS;
            }
            long carried = sum;
            assertTrue(carried <= 1.03 * rate,
                    () -> carried + " bytes in a second of " + rate + ", seed " + SEED);
        }
        assertTrue(first > 0, "not even a second long");
    }

    /** Takes chunks, unless it is full. */
    private final class Wire implements Link {
        final Outbox outbox = new Outbox(this);
        final List<Message.StateChunk> chunks = new ArrayList<>();
        final List<Long> at = new ArrayList<>();
        boolean full;

        byte[] state() {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (Message.StateChunk chunk : chunks) {
                assertEquals(EPOCH, chunk.epoch());
                assertEquals(all.size(), chunk.offset());
                all.writeBytes(chunk.bytes());
            }
            return all.toByteArray();
        }

        @Override
        public boolean send(Message message) {
            if (full) {
                return false;
            }
            chunks.add((Message.StateChunk) message);
            at.add(clock.nanoTime());
            return true;
        }

        @Override
        public int poll(LinkHandler handler) {
            return 0;
        }

        @Override
        public boolean isUp() {
            return true;
        }

        @Override
        public void close() {
            // Nothing to free.
        }
    }
}
