package io.pageferry.transport.netty.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.pageferry.core.link.flow.FlightLimit;
import io.pageferry.transport.netty.TransportOptions;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;

/** A source asks its {@link FlightLimit}, not the window alone, and tells it of what came back. */
class FlightTest {
    @Test
    void aWindowIsNotFilledBeforeTheRoadIsKnown() throws Exception {
        try (LinkRig rig = new LinkRig(TransportOptions.defaults(SystemNanoClock.INSTANCE))) {
            rig.window = 4 * FlightLimit.FEWEST;
            rig.open(rig.server.address(), 1);
            for (int i = 0; i < FlightLimit.FEWEST; i++) {
                rig.sendPage(i);
            }
            assertNull(rig.source.pages().claim(), "nothing came back yet");
            assertEquals(FlightLimit.FEWEST, rig.source.pages().unacknowledged());
            rig.await("the first page", () -> !rig.atTarget.batches.isEmpty());
            rig.target.applied(rig.atTarget.batches.removeFirst());
            rig.sendPage(FlightLimit.FEWEST);
        }
    }
}
