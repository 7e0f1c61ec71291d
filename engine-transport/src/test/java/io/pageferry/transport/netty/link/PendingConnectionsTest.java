package io.pageferry.transport.netty.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who makes way for whom among those that proved nothing. */
class PendingConnectionsTest {
    private static final int MOST = 300;

    private final PendingConnections pending = new PendingConnections(MOST);
    private final List<Connection> gone = new ArrayList<>();

    /** A connection that notes that it made way, which a real one does later. */
    private final class Connection implements PendingConnections.Pending {
        private final InetAddress address;
        private boolean spoke;

        Connection(InetAddress address) {
            this.address = address;
        }

        @Override
        public Object origin() {
            return address;
        }

        @Override
        public boolean isSilent() {
            return !spoke;
        }

        @Override
        public void makeWay(String why) {
            gone.add(this);
        }
    }

    private Connection connect(int host) throws UnknownHostException {
        Connection one = new Connection(
                InetAddress.getByAddress(new byte[] {10, 0, 0, (byte) host}));
        pending.add(one);
        return one;
    }

    @Test
    void anAddressPushesOutItsOwnOldest() throws Exception {
        Connection honest = connect(1);
        List<Connection> many = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            many.add(connect(2));
        }
        assertEquals(1000 - PendingConnections.MOST_OF_ONE_ORIGIN, gone.size());
        assertEquals(many.getFirst(), gone.getFirst());
        assertTrue(!gone.contains(honest) && !gone.contains(many.getLast()));
    }

    @Test
    void whoHasSpokenStaysLonger() throws Exception {
        Connection honest = connect(1);
        honest.spoke = true;
        for (int i = 0; i < 1000; i++) {
            connect(1);
        }
        assertTrue(!gone.contains(honest));
        for (int i = 0; i < PendingConnections.MOST_OF_ONE_ORIGIN; i++) {
            connect(1).spoke = true;
        }
        assertTrue(gone.contains(honest), "they had all spoken, and it was the oldest");
    }

    @Test
    void ofManyAddressesTheOldestMakesWay() throws Exception {
        Connection oldest = connect(0);
        for (int i = 1; i < MOST; i++) {
            connect(i % 200);
        }
        assertEquals(List.of(), gone);
        connect(7);
        assertEquals(List.of(oldest), gone);
    }

    @Test
    void whoProvedSomethingTakesNoPlace() throws Exception {
        for (int i = 0; i < 1000; i++) {
            Connection one = connect(1);
            pending.remove(one);
            pending.remove(one);
        }
        assertEquals(List.of(), gone);
    }

    @Test
    void theirMemoryIsBoundedAndTheOldestThatHasSomeGivesIt() throws Exception {
        Connection silent = connect(1);
        Connection first = connect(1);
        Connection second = connect(2);
        int part = (int) (PendingConnections.MOST_BYTES / 2);
        pending.take(first, part);
        pending.take(second, part);
        assertEquals(List.of(), gone);
        Connection third = connect(3);
        pending.take(third, 1);
        assertEquals(List.of(first), gone);
        pending.take(third, part);
        assertEquals(List.of(first, second), gone);
        // Who made way already has nothing to give, and takes nothing.
        pending.take(first, part);
        pending.remove(third);
        pending.take(silent, 2 * part);
        assertEquals(List.of(first, second), gone);
    }
}
