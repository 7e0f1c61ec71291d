package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.e2e.Agent.Start;
import io.pageferry.agent.host.linux.kvm.Kvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A virtual machine of the example moves by the two commands, each a process. */
@Tag("timing")
class KvmMoveTest extends WithRig {
    private static final String GUEST = "kvm:64MiB?set=16MiB";

    @Test
    void aVirtualMachineMovesToAnotherProcess() throws IOException {
        needKvm();
        Agent target = receive(GUEST, "--linger", "300ms");
        Agent source = migrate(GUEST, target.address());
        E2e.assertMoved(source, target);
        assertEquals("dirty-log", source.report().path("tracker").asText(), source::toString);
        assertSound(target);
        JsonNode check = target.report().path("guestCheck");
        assertEquals(0, check.path("lostTicks").asLong(-1), target::toString);
        assertTrue(check.path("ticksTarget").asLong() > 0, target::toString);
        assertTrue(check.path("ticksSource").asLong() > 0, target::toString);
        assertEquals(source.report().at("/guestCheck/ticksSource").asLong(),
                check.path("ticksSource").asLong(), () -> source + "\n" + target);
        assertEquals(0, source.report().at("/guestCheck/failures").asLong(-1), source::toString);
        rig.awaitNothingLeft();
    }

    @Test
    void aThrottledOneMovesAndTheReportSaysWhatItCost() throws IOException {
        needKvm();
        Agent target = receive(GUEST, "--linger", "300ms");
        Agent source = migrate(GUEST, target.address(), "--throttle", "50%", "--bandwidth",
                "200Mbit/s", "--max-rounds", "5");
        E2e.assertMoved(source, target);
        assertSound(target);
        assertTrue(source.report().at("/guestSlowdown/stolenMs").asDouble() > 0,
                source::toString);
        assertTrue(source.report().at("/guestSlowdown/percent").asDouble() < 75,
                source::toString);
    }

    @Test
    void oneThatDoesNotArriveRunsOnWhereItWas() throws IOException {
        needKvm();
        Random random = Draw.random();
        String hold = List.of("round 0", "switchover").get(random.nextInt(2));
        Agent target = rig.start(hold.equals("round 0") ? "receiving" : "ready", List.of("receive",
                GUEST, "--listen", "127.0.0.1:0", "--once"));
        Agent source = migrate(GUEST, target.address(), "--linger", "300ms");
        target.awaitState(hold.equals("round 0") ? "receiving" : "ready");
        target.kill();
        E2e.assertEnds(4, "failed", source);
        assertSound(source);
    }

    /** In a mount namespace where /dev/kvm is another device. */
    @Test
    void whereKvmDoesNotOpenCheckAndMigrateSaySo() throws IOException {
        Assumptions.assumeTrue(Files.exists(Path.of(Kvm.DEVICE)) && canHide(),
                "/dev/kvm cannot be hidden: mount namespaces want root");
        for (List<String> arguments : List.of(List.of("check", GUEST),
                List.of("migrate", GUEST, "--to", "127.0.0.1:1"))) {
            Start start = new Start(HIDDEN, List.of(), arguments);
            Agent agent = arguments.getFirst().equals("check")
                    ? Agent.start(start, folder, folder.resolve("check-words")) : rig.start(start);
            try (agent) {
                assertEquals(3, agent.exit(), agent::toString);
                assertTrue((agent.words() + agent.events()).contains("/dev/kvm is no KVM: ENOTTY"),
                        agent::toString);
            }
        }
    }

    private static final List<String> HIDDEN = List.of("unshare", "--mount", "sh", "-c",
            "mount --bind /dev/null /dev/kvm && exec \"$0\" \"$@\"");

    private static boolean canHide() throws IOException {
        Process tried = new ProcessBuilder("unshare", "--mount", "mount", "--bind", "/dev/null",
                "/dev/kvm").redirectErrorStream(true).start();
        try {
            return tried.waitFor() == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    static void needKvm() {
        try (Kvm kvm = Kvm.open(Kvm.DEVICE)) {
            kvm.createVm().close();
        } catch (IOException e) {
            Assumptions.abort(e.getMessage());
        }
    }

    private static void assertSound(Agent agent) throws IOException {
        assertEquals(0, agent.report().at("/guestCheck/failures").asLong(-1), agent::toString);
    }
}
