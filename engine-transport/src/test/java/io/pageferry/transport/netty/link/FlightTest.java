package io.pageferry.transport.netty.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.pageferry.core.link.Message;
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

    @Test
    void aTargetThatDoesNotKeepUpIsSeen() throws Exception {
        try (LinkRig rig = new LinkRig(TransportOptions.defaults(SystemNanoClock.INSTANCE))) {
            rig.features = Message.FEATURE_BACKLOG;
            rig.open(rig.server.address(), 1);
            assertFalse(rig.source.pages().isTargetBehind());
            rig.atTarget.takes = 1;
            rig.sendPage(0);
            rig.sendPage(1);
            rig.await("a word of what waits", () -> {
                if (apply(rig)) {
                    rig.sendPage(2);
                }
                return rig.source.pages().isTargetBehind();
            });
            rig.await("a word that nothing does", () -> {
                apply(rig);
                return !rig.source.pages().isTargetBehind();
            });
        }
    }

    private static boolean apply(LinkRig rig) {
        boolean came = !rig.atTarget.batches.isEmpty();
        if (came) {
            rig.target.applied(rig.atTarget.batches.removeFirst());
        }
        return came;
    }
}
