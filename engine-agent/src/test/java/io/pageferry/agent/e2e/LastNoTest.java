package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.DemoTools;
import io.pageferry.agent.demo.TestMachines;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A durable no that the source has not heard: somebody stays to say it. */
@Timeout(120)
class LastNoTest extends WithRig {
    private static final int READY = 0x23;
    private static final String[] WINDOW = {"--reconnect-window", "30s"};

    private BareGuest home;
    private BareGuest waiting;

    @BeforeEach
    void start() throws IOException {
        E2e.needTracking();
        DemoTools tools = TestMachines.tools();
        home = BareGuest.booting(tools, folder, "source", BareProgram.COUNTS);
        waiting = BareGuest.waiting(tools, folder, "target", BareProgram.COUNTS);
    }

    @AfterEach
    void end() throws IOException {
        for (BareGuest guest : new BareGuest[] {home, waiting}) {
            if (guest != null) {
                guest.close();
            }
        }
    }

    /** Its QEMU went with the no, so it can receive no other guest. */
    @Test
    void aTargetOfManyGuestsStaysAndEndsWithTheResultOfTheLast() throws IOException {
        Agent target = rig.start("", with(List.of("receive", waiting.uri(), "--listen",
                "127.0.0.1:0"), WINDOW));
        try (Cable cable = new FrameCable(target.address()) {
            @Override
            void frame(int type, byte[] frame, OutputStream to) throws IOException {
                if (type == READY) {
                    pull();
                } else {
                    to.write(frame);
                }
            }
        }) {
            Agent source = migrate(home.uri(), cable.address(), WINDOW);
            target.await("word of the end", event -> event.path("message").asText()
                    .startsWith("no other guest can be received"));
            cable.plug();
            assertHeard(source);
            E2e.assertEnds(4, "failed", target);
        }
    }

    @Test
    void aTargetWhoseGuestEndedStaysToSayNo() throws IOException {
        Agent target = receive(waiting.uri(), with(List.of("--settle-window", "1s"), WINDOW)
                .toArray(String[]::new));
        try (Cable cable = new FrameCable(target.address()) {
            private volatile OutputStream muted;

            @Override
            void frame(int type, byte[] frame, OutputStream to) throws IOException {
                if (type == READY) {
                    muted = to;
                }
                if (to != muted) {
                    to.write(frame);
                }
            }
        }) {
            Agent source = migrate(home.uri(), cable.address(), with(List.of("--max-switchover",
                    "60s"), WINDOW).toArray(String[]::new));
            target.awaitState("ready");
            waiting.process().kill();
            assertHeard(source);
            E2e.assertEnds(4, "failed", target);
            assertEquals("guest-ended", target.report().at("/error/code").asText());
        }
    }

    private void assertHeard(Agent source) throws IOException {
        E2e.assertEnds(4, "failed", source);
        assertTrue(source.report().at("/error/reason").asText()
                .contains("the target does not go on"), source::toString);
        home.countsOn();
    }
}
