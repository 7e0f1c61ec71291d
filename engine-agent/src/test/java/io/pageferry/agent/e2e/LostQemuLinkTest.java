package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.e2e.FlippingProxy.Wound;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A real QEMU guest whose link is lost while it moves: it runs on, misses no tick and finds no
 * wrong page, and arrives once the link is there again.
 */
@Tag("timing")
class LostQemuLinkTest extends WithGuest {
    private static final String WINDOW = "60s";

    /** Frame type of COMPLETE, docs/PROTOCOL.md §7; byte 42 is of the digest. */
    private static final Wound COMPLETE = new Wound(0x22, 1, 42);

    @Test
    void itRunsOnWhileTheCableIsOutAndArrivesOnceItIsBack() throws IOException {
        DemoQemu next = rig.waiting(home.machine());
        Agent target = rig.receive(next, "", "--reconnect-window", WINDOW);
        // In the middle of round 0, which is far more than that.
        try (CutAtFrame cable = new CutAtFrame(target.address(), CutAtFrame.BATCH, 3)) {
            Agent source = migrate(cable);
            cable.awaitCut(source);
            source.await("the loss", event ->
                    event.path("message").asText().startsWith("the link is lost"));
            home.ticksOn();
            cable.plug();
            E2e.assertMoved(source, target);
            assertEquals(1, source.report().at("/reconnects").asInt(), source::toString);
            assertEquals(1, source.report().at("/owner/epoch").asInt(), source::toString);
            home.livesOnAt(next);
        }
        rig.awaitNothingLeft();
    }

    @Test
    void itRunsAtOnceAfterACutInSwitchoverAndMovesAfterAll() throws IOException {
        DemoQemu next = rig.waiting(home.machine());
        Agent target = rig.receive(next, "", "--reconnect-window", WINDOW);
        try (FlippingProxy proxy = new FlippingProxy(target.address(), COMPLETE)) {
            Agent source = migrate(proxy);
            E2e.assertMoved(source, target);
            assertEquals(1, proxy.flipped());
            assertEquals(1, source.report().at("/reconnects").asInt(), source::toString);
            assertEquals(2, source.report().at("/owner/epoch").asInt(), source::toString);
            assertEquals(List.of("negotiating", "precopy", "switchover", "owned", "precopy",
                    "switchover", "granted", "done", "ended"), source.states());
            home.livesOnAt(next);
        }
        rig.awaitNothingLeft();
    }

    private Agent migrate(Cable cable) throws IOException {
        return rig.start("", List.of("migrate", Rig.uri(home.qemu()), "--to", cable.address(),
                "--reconnect-window", WINDOW));
    }
}
