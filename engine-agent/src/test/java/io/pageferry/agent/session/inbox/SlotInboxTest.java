package io.pageferry.agent.session.inbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What waits for a slot's thread is bounded, and an offer is taken only where it fits too. */
class SlotInboxTest {
    private static final UUID MIGRATION = new UUID(1, 2);

    /** Does nothing with what it is given. */
    private static final class Idle implements SlotInbox.Keeper {
        @Override
        public LinkHandler offered(TargetLink link, Message.Hello hello) {
            throw new AssertionError(hello);
        }

        @Override
        public SlotInbox.Reply resumed(TargetLink link, Message.Resume asked) {
            throw new AssertionError(asked);
        }

        @Override
        public SlotInbox.Reply status(Message.Status asked) {
            return SlotInbox.Reply.UNKNOWN;
        }

        @Override
        public void farewell(UUID migration) {
            throw new AssertionError(migration);
        }
    }

    /** It would be receiving for ever: the offer itself could not be handed over. */
    @Test
    void anOfferIsNotTakenWhereThereIsNoRoomForIt() {
        SlotInbox inbox = new SlotInbox("a");
        inbox.open(List.of());
        int waiting = 0;
        while (inbox.hand(question())) {
            waiting++;
        }
        assertFalse(inbox.take(MIGRATION));
        assertEquals(SlotState.WAITING, inbox.state());
        assertEquals(waiting, inbox.deliver(new Idle()));
        assertTrue(inbox.take(MIGRATION));
        assertEquals(SlotState.RECEIVING, inbox.state());
        assertTrue(inbox.hand(question()), "what was taken has room");
    }

    private static SlotInbox.Errand question() {
        return new SlotInbox.Errand(MIGRATION, new Message.Status(MIGRATION, 1), null);
    }
}
