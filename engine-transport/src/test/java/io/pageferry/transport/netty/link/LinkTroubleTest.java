package io.pageferry.transport.netty.link;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.transport.netty.TransportOptions;
import java.time.Duration;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Silence, back pressure and the end of a link, whatever lies between socket and frames. */
@ExtendWith(LeakGuard.class)
class LinkTroubleTest {
    LinkRig rig;

    @AfterEach
    void close() {
        rig.close();
    }

    TransportOptions options() throws Exception {
        return TransportOptions.defaults(SystemNanoClock.INSTANCE);
    }

    /** How much longer a side may compute before it reads: it may have to share its processor. */
    int slower() {
        return 1;
    }

    @Test
    void aSwallowedLinkIsLostAfterItsTime() throws Exception {
        rig = new LinkRig(options()
                .withSilence(Duration.ofMillis(50), Duration.ofMillis(600)));
        try (Relay relay = new Relay(rig.server.address())) {
            rig.open(relay.address(), 1);
            relay.freeze();
            rig.await("both losses",
                    () -> rig.atSource.loss != null && rig.atTarget.loss != null);
            assertEquals(ErrorCode.LINK_LOST, rig.atSource.loss);
            assertTrue(rig.atSource.reason.contains("nothing heard for 600 ms"));
        }
    }

    @Test
    void anIdleLinkIsKeptByHeartbeats() throws Exception {
        rig = new LinkRig(options()
                .withSilence(Duration.ofMillis(50), Duration.ofMillis(600)));
        rig.open(rig.server.address(), 2);
        long start = System.nanoTime();
        while (System.nanoTime() - start < 1_500_000_000L) {
            rig.pollOnce();
        }
        assertNull(rig.atSource.loss);
        assertNull(rig.atTarget.loss);
        rig.movePage(5);
    }

    @Test
    void aSlowConsumerIsNotASilentPeer() throws Exception {
        rig = new LinkRig(options()
                .withSilence(Duration.ofMillis(50), Duration.ofMillis(400L * slower())));
        rig.open(rig.server.address(), 1);
        int sent = 0;
        long start = System.nanoTime();
        byte[] state = new byte[128 * 1024];
        while (System.nanoTime() - start < 1_000_000_000L * slower()) {
            // Only the source is polled: the target's queues and the sockets fill up.
            sent += rig.source.send(new Message.StateChunk(1, sent, state)) ? 1 : 0;
            rig.source.poll(rig.atSource);
            Thread.yield();
        }
        assertTrue(rig.source.isUp() && rig.target.isUp());
        int all = sent;
        rig.await("all of it", () -> rig.atTarget.messages.size() == all + 1);
        rig.movePage(9);
    }

    @Test
    void theTargetsLastWordArrivesThoughTheDataConnectionEndsToo() throws Exception {
        for (int i = 0; i < 20; i++) {
            rig = new LinkRig(options());
            rig.open(rig.server.address(), 2);
            rig.sendPage(1);
            assertTrue(rig.target.send(new Message.Refused(1, "no")));
            rig.target.close();
            rig.await("the loss", () -> rig.atSource.loss != null);
            assertEquals(new Message.Refused(1, "no"), rig.atSource.messages.getLast());
            assertFalse(rig.source.isUp());
            rig.close();
        }
        long[] last = rig.source.pages().lastSequences();
        assertArrayEquals(new long[] {1, 0}, last);
    }
}
