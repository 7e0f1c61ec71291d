package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.DemoTools;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.transport.netty.link.TransportClient;
import io.pageferry.transport.netty.TransportOptions;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A durable no that the source has not heard: somebody stays to say it. */
class LastNoTest extends WithRig {
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
        try (Cable cable = new CutAtFrame(target.address(), CutAtFrame.READY, 1)) {
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
                if (type == CutAtFrame.READY) {
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

    /** Somebody took the disk in the moment in which it was nobody's. */
    @Test
    void aTargetThatGaveTheGuestBackStaysToSaySo() throws IOException {
        Agent target = rig.start("active", List.of("receive", waiting.uri(), "--listen",
                "127.0.0.1:0", "--once"));
        try (CutAtFrame cable = new CutAtFrame(target.address(), CutAtFrame.RETURNED, 1)) {
            Agent source = migrate(home.uri(), cable.address());
            target.awaitState("active");
            try (Holder holder = Holder.take(folder.resolve("disk.img"))) {
                target.goOn();
                cable.awaitCut(target);
                assertEquals("gone", waiting.condition(), holder::words);
            }
            sendAway(target.address());
            cable.plug();
            E2e.assertEnds(4, "failed", source);
            E2e.assertEnds(4, "failed", target);
            home.countsOn();
        }
    }

    /** The source stands still with the grant in its hand, and its word comes too late. */
    @Test
    void aTargetThatWasNotGrantedInTimeStaysToSayNo() throws IOException {
        Agent target = receive(waiting.uri(), WINDOW);
        try (CutAtFrame cable = new CutAtFrame(target.address(), CutAtFrame.REFUSED, 1)) {
            Agent source = rig.start("granted", List.of("migrate", home.uri(), "--to",
                    cable.address()));
            cable.awaitCut(target);
            assertEquals("granted", source.states().getLast(), source::toString);
            cable.plug();
            source.goOn();
            E2e.assertEnds(4, "failed", source);
            E2e.assertEnds(4, "failed", target);
            assertEquals("deadline", target.report().at("/error/code").asText());
            home.countsOn();
        }
    }

    /** Whoever does not know the migration tries in vain. */
    private static void sendAway(String address) throws IOException {
        List<Message> heard = new ArrayList<>();
        try (TransportClient client = new TransportClient(
                TransportOptions.defaults(SystemNanoClock.INSTANCE));
                SourceLink link = client.connect(Caller.address(address), Poll.LIMIT)) {
            link.send(new Message.Status(UUID.randomUUID(), 1));
            link.send(new Message.Farewell(1, 0, 0));
            Poll.until(() -> {
                link.poll(new Caller.Hearing(heard));
                return !link.isUp();
            }, () -> "it is not left: " + heard);
        }
        assertInstanceOf(Message.StatusUnknown.class, heard.getFirst());
    }

    private void assertHeard(Agent source) throws IOException {
        E2e.assertEnds(4, "failed", source);
        assertTrue(source.report().at("/error/reason").asText()
                .contains("the target does not go on"), source::toString);
        home.countsOn();
    }
}
