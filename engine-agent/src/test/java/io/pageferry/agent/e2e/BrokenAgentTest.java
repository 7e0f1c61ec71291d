package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.e2e.Agent.Start;
import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.link.SocketConnector;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.agent.session.GuestFactory;
import io.pageferry.agent.session.MigrateSettings;
import io.pageferry.agent.session.ReceiveSettings;
import io.pageferry.agent.session.SourceSession;
import io.pageferry.agent.session.TargetAgent;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationEvent.RoundEnded;
import io.pageferry.core.migration.MigrationEvent.StateEntered;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.outgoing.session.SourceOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** An agent that breaks, for no reason that it knows of, leaves the rest to its guard. */
class BrokenAgentTest extends WithRig {
    /** Breaks where the guest is loaded, or paused, and again where that is to be mended. */
    private static final class Breaking implements MigrationListener {
        @Override
        public void on(MigrationEvent event) {
            if (event instanceof StateEntered(String state, long _)
                    && (state.equals("ready") || state.equals("owned"))) {
                throw new AssertionError("broken when " + state);
            }
            if (event instanceof RoundEnded ended && ended.round().stopAndCopy()) {
                throw new AssertionError("broken when paused");
            }
        }
    }

    @Test
    void theGuardOfATargetEndsWhatWasLoaded() throws IOException {
        E2e.needTracking();
        try (BareGuest home = BareGuest.booting(TestMachines.tools(), folder, "source",
                        BareProgram.COUNTS);
                BareGuest waiting = BareGuest.waiting(TestMachines.tools(), folder, "target",
                        BareProgram.COUNTS)) {
            GuestUri uri = GuestUri.parse(waiting.uri());
            CompletableFuture<InetSocketAddress> address = new CompletableFuture<>();
            TargetAgent target = new TargetAgent(new ReceiveSettings(new GuestFactory<>(uri.text(),
                    setup -> GuestKinds.of(uri).openTarget(uri, setup), () -> () -> { }, () -> 0),
                    Listener.at(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                            Optional.empty()), true,
                    false, TargetOptions.defaults(), folder.resolve("target-state"), 0, null,
                            null),
                    new Breaking(), at -> address.complete((InetSocketAddress) at), result -> { });
            CompletableFuture<AgentResult> end = CompletableFuture.supplyAsync(target::run);
            Agent source = rig.start("", List.of("migrate", home.uri(), "--to", "127.0.0.1:"
                    + address.join().getPort()));
            assertInstanceOf(AssertionError.class,
                    assertThrows(CompletionException.class, end::join).getCause());
            Poll.until(() -> waiting.condition().equals("gone"), () -> "it is loaded yet");
            E2e.assertEnds(4, "failed", source);
            home.countsOn();
        }
    }

    @Test
    void theGuardOfASourceLetsItsGuestRunOn() throws IOException {
        E2e.needTracking();
        try (BareGuest home = BareGuest.booting(TestMachines.tools(), folder, "source",
                BareProgram.COUNTS)) {
            Agent target = receive("image:" + folder.resolve("image"));
            String address = target.address();
            GuestUri uri = GuestUri.parse(home.uri());
            SourceSession source = new SourceSession(new MigrateSettings(new GuestFactory<>(
                    uri.text(), setup -> GuestKinds.of(uri).openSource(uri, setup),
                    () -> () -> { }, () -> 0),
                    new SocketConnector(new InetSocketAddress(InetAddress.getLoopbackAddress(),
                            Integer.parseInt(address.substring(address.indexOf(':') + 1))),
                            Optional.empty()),
                    TrackerChoice.AUTO, SourceOptions.defaults(), After.QUIT, false,
                    folder.resolve("source-state"), 0, ""), new Breaking());
            assertThrows(AssertionError.class, source::run);
            home.countsOn();
            E2e.assertEnds(4, "failed", target);
        }
    }

    @Test
    void withoutAGuardNothingOfAGuestIsTouched() throws IOException {
        E2e.needTracking();
        List<String> guardless = List.of("env", "PAGEFERRY_OPTS=-XX:NoSuchOption");
        try (BareGuest home = BareGuest.booting(TestMachines.tools(), folder, "source",
                        BareProgram.COUNTS);
                BareGuest waiting = BareGuest.waiting(TestMachines.tools(), folder, "target",
                        BareProgram.COUNTS)) {
            Agent target = rig.start(new Start(guardless, List.of(), List.of("receive",
                    waiting.uri(), "--listen", "127.0.0.1:0")));
            for (List<String> prefix : List.of(guardless, List.<String>of())) {
                Agent source = rig.start(new Start(prefix, List.of(), List.of("migrate",
                        home.uri(), "--to", target.address())));
                assertNoGuard(source, prefix.isEmpty() ? "target" : "source");
                assertTrue(Traces.of(home.process().pid()).isUntracked());
                home.countsOn();
            }
            assertEquals("inmigrate", waiting.condition());
            target.signal(Signal.TERM);
            assertEquals(7, target.exit(), target::toString);
        }
    }

    /** The target misses it with the first page, when nothing was made for it yet. */
    private static void assertNoGuard(Agent agent, String side) throws IOException {
        if (side.equals("source")) {
            E2e.assertEnds(3, "refused", agent);
        } else {
            E2e.assertEnds(4, "failed", agent);
        }
        assertEquals("host-failed", agent.report().at("/error/code").asText(), agent::toString);
        assertEquals(side, agent.report().at("/error/side").asText(), agent::toString);
        assertTrue(agent.words().contains("the guard process ended"), agent::toString);
        assertTrue(agent.words().contains("PAGEFERRY_OPTS"), agent::toString);
    }

    /** The kernel sends SIGBUS for a page of a file that is not there any more. */
    @Test
    void anImageThatIsCutShortIsOneLineAndAnExitCode() throws IOException {
        Path image = folder.resolve("image");
        Agent target = rig.start("receiving", List.of("receive", "image:" + image, "--listen",
                "127.0.0.1:0", "--once"));
        Agent source = migrate("workload:48MiB?rate=10MiB/s", target.address(), "--codec",
                "none");
        target.awaitState("receiving");
        Path part;
        try (Stream<Path> beside = Files.list(folder)) {
            part = beside.filter(one -> one.getFileName().toString().startsWith("image.part-"))
                    .findFirst().orElseThrow();
        }
        try (FileChannel file = FileChannel.open(part, StandardOpenOption.WRITE)) {
            file.truncate(0);
        }
        target.goOn();
        E2e.assertEnds(4, "failed", target);
        assertTrue(target.words().contains("was cut short"), target::toString);
        assertTrue(target.words().lines().noneMatch(line -> line.startsWith("\tat ")),
                target::toString);
        E2e.assertEnds(4, "failed", source);
    }
}
