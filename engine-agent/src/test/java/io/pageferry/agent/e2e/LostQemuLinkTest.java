package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.e2e.FlippingProxy.Wound;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A real QEMU guest whose link is lost while it moves: it runs on, misses no tick and finds no
 * wrong page, and arrives once the link is there again.
 */
@Timeout(600)
class LostQemuLinkTest extends WithGuest {
    private static final String WINDOW = "60s";

    /** Frame type of COMPLETE, docs/PROTOCOL.md §7; byte 42 is of the digest. */
    private static final Wound COMPLETE = new Wound(0x22, 1, 42);


    @Override
    GuestLoad load() {
        return new GuestLoad(10, 32, 8 << 10, 0, 0, false);
    }

    @Test
    void itRunsOnWhileTheCableIsOutAndArrivesOnceItIsBack() throws IOException {
        DemoQemu next = rig.waiting(home.machine());
        Agent target = rig.receive(next, "", "--reconnect-window", WINDOW);
        try (Cable cable = new Cable(target.address())) {
            // So slow that round 0 is not over when the cable is pulled.
            Agent source = migrate(cable, "--bandwidth", "200Mbit/s");
            target.awaitState("receiving");
            cable.pull();
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

    private Agent migrate(Cable cable, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("migrate", Rig.uri(home.qemu()), "--to",
                cable.address(), "--reconnect-window", WINDOW));
        arguments.addAll(List.of(more));
        return rig.start("", arguments);
    }
}
