package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.DemoTools;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.e2e.Agent.Start;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.transport.netty.TransportClient;
import io.pageferry.transport.netty.TransportOptions;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A durable no that the source has not heard: somebody stays to say it. */
@Timeout(120)
class LastNoTest extends WithRig {
    private static final int READY = 0x23;
    private static final int REFUSED = 0x29;
    private static final int RETURNED = 0x2a;
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

    /** Somebody took the disk in the moment in which it was nobody's. */
    @Test
    void aTargetThatGaveTheGuestBackStaysToSaySo() throws IOException {
        Path holding = Files.createFile(folder.resolve("holding"));
        Agent target = rig.start(held("active", holding, List.of("receive", waiting.uri(),
                "--listen", "127.0.0.1:0", "--once")));
        try (CutOnce cable = new CutOnce(target.address(), RETURNED)) {
            Agent source = migrate(home.uri(), cable.address());
            target.awaitState("active");
            try (Holder holder = Holder.take(folder.resolve("disk.img"))) {
                Files.delete(holding);
                Poll.until(() -> cable.isCut, () -> "nothing was given back: " + target);
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
        Path holding = Files.createFile(folder.resolve("holding"));
        Agent target = receive(waiting.uri(), WINDOW);
        try (CutOnce cable = new CutOnce(target.address(), REFUSED)) {
            Agent source = rig.start(held("granted", holding, List.of("migrate", home.uri(),
                    "--to", cable.address())));
            Poll.until(() -> cable.isCut, () -> "nothing was refused: " + target);
            assertEquals("granted", source.states().getLast(), source::toString);
            cable.plug();
            Files.delete(holding);
            E2e.assertEnds(4, "failed", source);
            E2e.assertEnds(4, "failed", target);
            assertEquals("deadline", target.report().at("/error/code").asText());
            home.countsOn();
        }
    }

    /** Whoever does not know the migration tries in vain. */
    private static void sendAway(String address) throws IOException {
        int colon = address.lastIndexOf(':');
        List<Message> heard = new ArrayList<>();
        try (TransportClient client = new TransportClient(
                TransportOptions.defaults(SystemNanoClock.INSTANCE));
                SourceLink link = client.connect(new InetSocketAddress(
                        address.substring(0, colon),
                        Integer.parseInt(address.substring(colon + 1))), Poll.LIMIT)) {
            link.send(new Message.Status(UUID.randomUUID(), 1));
            link.send(new Message.Farewell(1, 0, 0));
            Poll.until(() -> {
                link.poll(new Hearing(heard));
                return !link.isUp();
            }, () -> "it is not left: " + heard);
        }
        assertInstanceOf(Message.StatusUnknown.class, heard.getFirst());
    }

    /** Notes what is said. */
    private record Hearing(List<Message> heard) implements LinkHandler {
        @Override
        public void onMessage(Message message) {
            heard.add(message);
        }

        @Override
        public void onBatch(PageBatch batch) {
            throw new IllegalStateException("a target sends no pages");
        }

        @Override
        public void onLost(ErrorCode code, String reason) {
            // The link says so too.
        }
    }

    private static Start held(String state, Path holding, List<String> arguments) {
        return new Start(List.of(), List.of("-D" + Hold.PROPERTY + "=" + state,
                "-D" + Hold.WHILE + "=" + holding), arguments);
    }

    /** Is pulled by the first frame of a type, which gets lost. */
    private static final class CutOnce extends FrameCable {
        private final int at;
        private volatile boolean isCut;

        CutOnce(String address, int at) throws IOException {
            super(address);
            this.at = at;
        }

        @Override
        void frame(int type, byte[] frame, OutputStream to) throws IOException {
            if (type == at && !isCut) {
                pull();
                isCut = true;
            } else {
                to.write(frame);
            }
        }
    }

    private void assertHeard(Agent source) throws IOException {
        E2e.assertEnds(4, "failed", source);
        assertTrue(source.report().at("/error/reason").asText()
                .contains("the target does not go on"), source::toString);
        home.countsOn();
    }
}
