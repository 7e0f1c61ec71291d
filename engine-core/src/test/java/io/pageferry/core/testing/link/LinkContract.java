package io.pageferry.core.testing.link;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.round.PageSink;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What every pair of a {@link SourceLink} and a {@link TargetLink} must do. */
public abstract class LinkContract extends LinkRig {
    @Test
    void messagesArriveInOrderBothWays() {
        for (long i = 0; i < 500; i++) {
            long round = i;
            await("room at the source", () -> source.send(new Message.RoundVerified(round)));
            await("room at the target", () -> target.send(new Message.RoundApplied(round)));
        }
        await("all messages", () -> atTarget.messages.size() == 500
                && atSource.messages.size() == 500);
        for (int i = 0; i < 500; i++) {
            assertEquals(new Message.RoundVerified(i), atTarget.messages.get(i));
            assertEquals(new Message.RoundApplied(i), atSource.messages.get(i));
        }
    }

    @Test
    void aFullQueueIsAReturnValueAndLosesNothing() {
        byte[] state = new byte[64 * 1024];
        int sent = 0;
        while (source.send(new Message.StateChunk(1, sent, state))) {
            sent++;
            assertTrue(sent < 100_000, "a queue without a limit");
        }
        assertTrue(source.isUp());
        int all = sent;
        await("what was taken", () -> atTarget.messages.size() == all);
        for (int i = 0; i < all; i++) {
            assertEquals(i, ((Message.StateChunk) atTarget.messages.get(i)).offset());
        }
        await("room again", () -> source.send(new Message.Switchover(1)));
        await("the message after", () -> atTarget.messages.size() == all + 1);
        assertEquals(new Message.Switchover(1), atTarget.messages.getLast());
    }

    @Test
    void pagesArriveAsTheyWereSent() {
        openChannels(1);
        for (long page = 0; page < 50; page++) {
            long index = page;
            await("room for a page", () -> sendPage(index));
            await("the page", () -> atTarget.batches.size() == 1);
            PageBatch batch = atTarget.batches.removeFirst();
            assertPage(page, batch);
            assertEquals(page + 1, batch.sequence());
            target.applied(batch);
        }
        await("the debt to be paid", () -> source.pages().unacknowledged() == 0);
        assertArrayEquals(new long[] {50}, source.pages().lastSequences());
        assertTrue(source.pages().wireBytes() > 50 * 4096);
        assertEquals(List.of(), atSource.messages, "acknowledgements are the link's own");
    }

    @Test
    void aFullSinkIsAReturnValue() {
        openChannels(1);
        int sent = 0;
        while (sendPage(sent)) {
            sent++;
        }
        assertEquals(WINDOW, sent);
        assertEquals(WINDOW, source.pages().unacknowledged());
        await("all pages", () -> atTarget.batches.size() == WINDOW);
        assertFalse(sendPage(99), "arrived is not applied");
        target.applied(atTarget.batches.removeFirst());
        await("room", () -> sendPage(WINDOW));
        await("the page", () -> atTarget.batches.size() == WINDOW);
        for (int i = 0; i < WINDOW; i++) {
            assertPage(i + 1, atTarget.batches.get(i));
        }
    }

    @Test
    void anAbandonedSlotIsFreeAgain() {
        openChannels(1);
        for (int i = 0; i < 10 * WINDOW; i++) {
            PageBatch batch = source.pages().claim();
            assertNotNull(batch);
            source.pages().abandon(batch);
        }
        List<PageBatch> claimed = new ArrayList<>();
        for (int i = 0; i < WINDOW; i++) {
            claimed.add(source.pages().claim());
        }
        assertNull(source.pages().claim());
        claimed.forEach(source.pages()::abandon);
        assertEquals(0, source.pages().unacknowledged());
        assertArrayEquals(new long[] {0}, source.pages().lastSequences());
    }

    @Test
    void acknowledgementIsCumulative() {
        openChannels(1);
        assertTrue(sendPage(1));
        assertTrue(sendPage(2));
        await("both", () -> atTarget.batches.size() == 2);
        target.applied(atTarget.batches.get(1));
        assertTrue(target.send(new Message.RoundVerified(0)));
        await("a message sent after", () -> !atSource.messages.isEmpty());
        assertEquals(2, source.pages().unacknowledged());
        target.applied(atTarget.batches.get(0));
        await("both acknowledged", () -> source.pages().unacknowledged() == 0);
    }

    @Test
    void everyChannelHasItsOwnOrderAndWindow() {
        openChannels(3);
        int sent = 0;
        while (sendPage(sent)) {
            sent++;
        }
        assertEquals(3 * WINDOW, sent);
        assertArrayEquals(new long[] {WINDOW, WINDOW, WINDOW}, source.pages().lastSequences());
        await("all pages", () -> atTarget.batches.size() == 3 * WINDOW);
        long[] last = new long[3];
        for (PageBatch batch : atTarget.batches) {
            assertEquals(++last[batch.channel()], batch.sequence());
            assertPage(PageBatch.pageOf(batch.descriptorAt(0)), batch);
        }
        assertArrayEquals(LongStream.range(0, sent).toArray(), atTarget.batches.stream()
                .mapToLong(batch -> PageBatch.pageOf(batch.descriptorAt(0))).sorted().toArray());
        atTarget.batches.forEach(target::applied);
        await("the debt to be paid", () -> source.pages().unacknowledged() == 0);
    }

    @Test
    void aChannelThatStandsStillStopsNoOther() {
        openChannels(3);
        List<PageBatch> still = new ArrayList<>();
        int goal = 20 * WINDOW;
        await("the others to go on", () -> {
            sendPage(1);
            for (PageBatch batch : atTarget.batches) {
                if (batch.channel() == 0) {
                    still.add(batch);
                } else {
                    target.applied(batch);
                }
            }
            atTarget.batches.clear();
            long[] last = source.pages().lastSequences();
            return last[1] >= goal && last[2] >= goal && still.size() == WINDOW;
        });
        assertEquals(WINDOW, source.pages().lastSequences()[0], "beyond its window");
        await("the others' debt to be paid", () -> {
            atTarget.batches.forEach(target::applied);
            atTarget.batches.clear();
            return source.pages().unacknowledged() == WINDOW;
        });
        // Only the barrier waits for it.
        still.forEach(target::applied);
        await("its debt to be paid", () -> source.pages().unacknowledged() == 0);
    }

    @Test
    void eachLaneHasChannelsAndADebtOfItsOwn() {
        openChannels(3);
        PageSink pages = source.pages();
        int lanes = Math.min(2, pages.lanes());
        Set<PageSink> firsts = Collections.newSetFromMap(new IdentityHashMap<>());
        // Whoever asks first.
        IntStream.range(0, 64).parallel().mapToObj(i -> pages.lane(0, lanes))
                .forEachOrdered(firsts::add);
        assertEquals(1, firsts.size(), "another part for the same lane");
        for (int page = 0; page < 2 * WINDOW; page++) {
            assertTrue(sendPage(page, pages.lane(page % lanes, lanes)), "page " + page);
        }
        assertEquals(2 * WINDOW, LongStream.of(pages.lastSequences()).sum());
        await("all pages", () -> atTarget.batches.size() == 2 * WINDOW);
        atTarget.batches.forEach(batch -> assertEquals(lanes == 1 ? 0 : batch.channel() % lanes,
                PageBatch.pageOf(batch.descriptorAt(0)) % lanes, "another lane's channel"));
        atTarget.batches.forEach(target::applied);
        await("the debt to be paid", () -> pages.unacknowledged() == 0);
        sendPage(77, pages.lane(lanes - 1, lanes));
        assertTrue(pages.wireBytes() > (2 * WINDOW + 1) * 4096L);
        await("the last page", () -> atTarget.batches.size() == 2 * WINDOW + 1);
        breakLink();
        await("the loss", () -> !atSource.losses.isEmpty());
        List<Long> owed = new ArrayList<>();
        for (int i = 0; i < lanes; i++) {
            pages.lane(i, lanes).reclaim(owed::add);
        }
        assertEquals(List.of(77L), owed);
        assertEquals(0, pages.unacknowledged());
    }

    @Test
    void aBrokenLinkGivesTheDebtBack() {
        openChannels(1);
        for (long page = 10; page < 10 + WINDOW; page++) {
            assertTrue(sendPage(page));
        }
        await("all pages", () -> atTarget.batches.size() == WINDOW);
        target.applied(atTarget.batches.getFirst());
        await("the first to be acknowledged",
                () -> source.pages().unacknowledged() == WINDOW - 1);
        breakLink();
        await("the loss", () -> !atSource.losses.isEmpty());
        assertNull(source.pages().claim());
        assertArrayEquals(LongStream.range(11, 10 + WINDOW).toArray(), reclaimed());
        assertEquals(0, source.pages().unacknowledged());
        assertArrayEquals(new long[0], reclaimed(), "taken back twice");
    }

    @Test
    void aClosedLinkGivesTheDebtBack() {
        openChannels(1);
        assertTrue(sendPage(3));
        PageBatch open = source.pages().claim();
        open.begin(0, 7);
        open.append(5, 1, 0, 0);
        source.close();
        source.close();
        source.pages().commit(open);
        assertFalse(source.isUp());
        assertNull(source.pages().claim());
        assertArrayEquals(new long[] {3, 5}, reclaimed());
    }

    @Test
    void aLossIsToldExactlyOnce() {
        openChannels(1);
        breakLink();
        await("both losses", () -> !atSource.losses.isEmpty() && !atTarget.losses.isEmpty());
        for (int i = 0; i < 1000; i++) {
            assertEquals(0, source.poll(atSource) + target.poll(atTarget));
        }
        assertEquals(List.of(ErrorCode.LINK_LOST), atSource.losses);
        assertEquals(List.of(ErrorCode.LINK_LOST), atTarget.losses);
        assertFalse(source.isUp() || target.isUp());
        assertFalse(source.send(new Message.RoundVerified(0))
                || target.send(new Message.RoundVerified(0)));
    }

    @Test
    void whatWasSentBeforeACloseArrivesBeforeTheLoss() {
        openChannels(1);
        for (int i = 0; i < 20; i++) {
            assertTrue(target.send(new Message.RoundVerified(i)));
        }
        target.close();
        await("the loss", () -> !atSource.losses.isEmpty());
        assertEquals(20, atSource.messages.size());
        assertEquals(0, target.poll(atTarget));
        assertEquals(List.of(), atTarget.losses, "one's own close is no loss");
    }

    @Test
    void aFailureIsAMessageAndThenTheLoss() {
        assertTrue(target.send(new Message.Failure(ErrorCode.NO_ROOM, "too small")));
        await("the loss", () -> !atSource.losses.isEmpty());
        assertInstanceOf(Message.Failure.class, atSource.messages.getLast());
        assertEquals(List.of(ErrorCode.NO_ROOM), atSource.losses);
    }
}
