package io.pageferry.core.testing.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.link.Link;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.round.PageSink;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A pair of a {@link SourceLink} and a {@link TargetLink} for {@link LinkContract}. */
public abstract class LinkRig {
    /** Batches that the target grants each channel here. */
    protected static final int WINDOW = 4;

    private static final long DEADLINE_NANOS = 20_000_000_000L;
    private static final int RAW = 2;
    private static final RegionTable REGIONS = RegionTable.single("ram", 1 << 20);
    private static final UUID TOKEN = new UUID(0x0123456789abcdefL, 0xfedcba9876543210L);

    final Heard atSource = new Heard();
    final Heard atTarget = new Heard();
    SourceLink source;
    TargetLink target;

    /** Gives a source's end, up, on which nothing was sent. */
    protected abstract SourceLink openSource() throws Exception;

    /** Gives the target's end once the source sent its HELLO; null before it is there. */
    protected abstract TargetLink acceptTarget();

    /** Ends the link without a farewell, as a pulled cable would. */
    protected abstract void breakLink();

    /** Frees whatever the implementation needed; both ends are closed by then. */
    protected abstract void tearDown() throws Exception;

    /** What one end was told. */
    static final class Heard implements LinkHandler {
        final List<Message> messages = new ArrayList<>();
        final List<PageBatch> batches = new ArrayList<>();
        final List<ErrorCode> losses = new ArrayList<>();

        @Override
        public void onMessage(Message message) {
            assertTrue(losses.isEmpty(), "a message after the loss");
            messages.add(message);
        }

        @Override
        public void onBatch(PageBatch batch) {
            batches.add(batch);
        }

        @Override
        public void onLost(ErrorCode code, String reason) {
            assertNotNull(reason);
            losses.add(code);
        }
    }

    @BeforeEach
    void open() throws Exception {
        source = openSource();
        Message.Hello hello = new Message.Hello(UUID.randomUUID(), 0, 0, Message.MAX_CHANNELS, 1,
                new GuestDescription("test", "guest", REGIONS, 0, Map.of()), "");
        assertTrue(source.send(hello));
        await("the target's end", () -> target != null || (target = acceptTarget()) != null);
        await("HELLO", () -> !atTarget.messages.isEmpty());
        assertEquals(List.of(hello), atTarget.messages);
        atTarget.messages.clear();
    }

    @AfterEach
    void close() throws Exception {
        source.close();
        if (target != null) {
            target.close();
        }
        tearDown();
    }

    final void openChannels(int channels) {
        Message.Welcome welcome = new Message.Welcome(TOKEN, 1, 0, channels, WINDOW);
        target.acceptChannels(welcome);
        assertTrue(target.send(welcome));
        await("WELCOME", () -> !atSource.messages.isEmpty());
        assertEquals(List.of(welcome), atSource.messages);
        atSource.messages.clear();
        assertNull(source.pages().claim(), "pages before the channels");
        source.openChannels(welcome);
        await("the channels", source::channelsReady);
    }

    final void await(String what, BooleanSupplier happened) {
        long start = System.nanoTime();
        while (!happened.getAsBoolean()) {
            if (System.nanoTime() - start > DEADLINE_NANOS) {
                fail("waited in vain for " + what + "; source heard " + atSource.losses
                        + ", target " + atTarget.losses);
            }
            if (poll(source, atSource) + (target == null ? 0 : poll(target, atTarget)) == 0) {
                Thread.yield();
            }
        }
    }

    static int poll(Link link, Heard heard) {
        int before = heard.messages.size() + heard.losses.size();
        int delivered = link.poll(heard);
        assertTrue(heard.losses.isEmpty()
                || heard.messages.size() + heard.losses.size() - before <= 1,
                "a loss is told by itself");
        return delivered;
    }

    /** Sends one page whose bytes tell its index; false when the sink is full. */
    final boolean sendPage(long page) {
        return sendPage(page, source.pages());
    }

    static boolean sendPage(long page, PageSink sink) {
        PageBatch batch = sink.claim();
        if (batch == null) {
            return false;
        }
        batch.begin(0, 7);
        batch.payload().asSlice(0, 4096).fill((byte) page);
        batch.append(page, RAW, 4096, ~(int) page);
        sink.commit(batch);
        return true;
    }

    static void assertPage(long page, PageBatch batch) {
        assertEquals(1, batch.count());
        assertEquals(PageBatch.descriptor(page, RAW, 4096), batch.descriptorAt(0));
        assertEquals(~(int) page, batch.checksumAt(0));
        assertEquals(4096, batch.payloadBytes());
        assertEquals(7, batch.round());
        assertEquals(0, batch.region());
        assertEquals(1, batch.generation());
        for (int i = 0; i < 4096; i += 512) {
            assertEquals((byte) page, batch.payload().get(ValueLayout.JAVA_BYTE, i));
        }
    }

    final long[] reclaimed() {
        List<Long> pages = new ArrayList<>();
        source.pages().reclaim(pages::add);
        return pages.stream().mapToLong(Long::longValue).sorted().toArray();
    }
}
