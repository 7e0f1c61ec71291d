package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.ConsoleLog;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.state.journal.HeldLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs faults: a guest that checks itself, a QEMU that waits for it, and agents that stand still at
 * a chosen state until they are told to go on. The guest lives through all of them.
 */
final class FaultRig implements AutoCloseable {
    private final Path folder;
    private Rig rig;
    private MovingGuest home;
    private DemoQemu waiting;
    private int count;

    FaultRig(Path folder) throws IOException {
        this.folder = folder;
        this.rig = new Rig(Files.createDirectories(folder.resolve("0")));
    }

    /** What goes wrong in a move, up to the point where the guest runs where it should. */
    interface Fault {
        void happen(FaultRig rig) throws IOException;
    }

    /** Has a fault happen; then the second attempt has to succeed, whatever the first came to. */
    void run(Fault fault) throws IOException {
        if (home == null) {
            home = MovingGuest.boot(rig, E2e.machine(E2e.CALM));
        }
        waiting = rig.waiting(home.machine());
        home.remember();
        boolean well = false;
        try {
            fault.happen(this);
            secondAttempt();
            well = true;
        } finally {
            if (!well) {
                // Whatever comes next begins with another guest, and with nothing left of this.
                rig.close();
                rig = new Rig(Files.createDirectories(folder.resolve("" + ++count)));
                home = null;
            }
        }
    }

    private void secondAttempt() throws IOException {
        if (waiting != home.qemu() && !Rig.condition(waiting).equals("inmigrate")) {
            rig.end(waiting);
        }
        if (waiting == home.qemu() || !waiting.process().isAlive()) {
            waiting = rig.waiting(home.machine());
        }
        Agent target = target("");
        E2e.assertMoved(source(target, ""), target);
        rig.awaitNothingLeft();
        assertEquals("gone", Rig.condition(home.qemu()));
        assertTrue(Traces.of(waiting.process().pid()).isUntracked());
        home.livesOnAt(waiting);
    }

    /** The QEMUs and agents. */
    Rig base() {
        return rig;
    }

    MovingGuest home() {
        return home;
    }

    DemoQemu waiting() {
        return waiting;
    }

    /** Starts {@code receive}, which stands still at a state; an empty one is none. */
    Agent target(String hold, String... more) throws IOException {
        Agent agent = start(hold, with(List.of("receive", Rig.uri(waiting), "--listen",
                "127.0.0.1:0", "--once"), more));
        agent.address();
        return agent;
    }

    /** Starts {@code migrate}, likewise. */
    Agent source(Agent target, String hold, String... more) throws IOException {
        return start(hold, with(List.of("migrate", Rig.uri(home.qemu()), "--to",
                target.address()), more));
    }

    /** Starts {@code migrate} over a cable. */
    Agent source(Cable cable, String... more) throws IOException {
        return start("", with(List.of("migrate", Rig.uri(home.qemu()), "--to",
                cable.address()), more));
    }

    /** Starts any command, likewise. */
    Agent start(String hold, List<String> arguments) throws IOException {
        return rig.start(hold, arguments);
    }

    private static List<String> with(List<String> some, String... more) {
        List<String> all = new ArrayList<>(some);
        all.addAll(List.of(more));
        return all;
    }

    /** The guest runs at the source, and nothing is left in it or anywhere. */
    void assertAtSource() throws IOException {
        rig.awaitNothingLeft();
        home.livesOn();
        home.isAsItWas();
        assertEquals(0, ConsoleLog.read(waiting.console()).lastTick(), "it ran at the target");
    }

    /** Deletes the one lock file that a killed process left, once its lock was free to take. */
    void removeFreeLock() throws IOException {
        try (HeldLock lock = HeldLock.tryLock(rig.onlyLock()).orElseThrow()) {
            assertNotNull(lock);
        }
    }

    /** It runs at the target and nowhere else. */
    void assertAtTarget() throws IOException {
        rig.awaitNothingLeft();
        assertEquals("gone", Rig.condition(home.qemu()));
        assertTrue(Traces.of(waiting.process().pid()).isUntracked());
        home.livesOnAt(waiting);
    }

    /** The guest died with its QEMU: another one is booted. */
    void reboot() throws IOException {
        rig.awaitNothingLeft();
        assertEquals("inmigrate", Rig.condition(waiting));
        rig.end(home.qemu());
        home = MovingGuest.boot(rig, E2e.machine(E2e.CALM));
    }

    /** Kills a QEMU and returns when it is gone. */
    static void kill(DemoQemu qemu) throws IOException {
        qemu.process().kill();
        Poll.until(() -> !qemu.process().isAlive(), () -> "it does not die");
    }

    /** The QEMU at the target was left as it was found. */
    void assertWaiting() throws IOException {
        assertEquals("inmigrate", Rig.condition(waiting));
        assertTrue(Traces.of(waiting.process().pid()).isUntracked());
    }

    /** The QEMU at the target was ended: it was loaded, and must never run. */
    void assertTargetEnded() throws IOException {
        Poll.until(() -> !waiting.process().isAlive(), () -> "the loaded QEMU is still there");
    }

    /** The guest at the source stands still, because nobody knows who owns it. */
    void assertInDoubt() throws IOException {
        rig.awaitNothingLeft();
        assertEquals("saved", Rig.condition(home.qemu()));
        assertEquals("unknown", entry("source").path("owner").asText());
    }

    /** The entry of the latest migration in {@code status}. */
    ObjectNode entry(String side) throws IOException {
        Agent status = rig.start("", List.of("status"));
        assertEquals(0, status.exit(), status::toString);
        return status.events().stream().filter(one -> one.path("side").asText().equals(side))
                .reduce((one, later) -> later).orElseThrow();
    }

    /** Settles the latest migration of the source. */
    void settle(int exit, String... more) throws IOException {
        String migration = entry("source").path("migration").asText();
        Agent settle = rig.start("", with(List.of("settle", migration), more));
        assertEquals(exit, settle.exit(), settle::toString);
        rig.awaitNothingLeft();
        assertTrue(entry("source").path("settled").asBoolean(), settle::toString);
    }

    /** Settles it while somebody receives at the target's address, on its state directory. */
    void settleByAsking(int exit, Agent target) throws IOException {
        Agent later = rig.start("", List.of("receive", "image:" + rig.folder().resolve("image"),
                "--listen", target.address()));
        later.address();
        String migration = entry("source").path("migration").asText();
        Agent settle = rig.start("", List.of("settle", migration));
        assertEquals(exit, settle.exit(), settle::toString);
        later.signal(Signal.TERM);
        later.exit();
        assertTrue(entry("source").path("settled").asBoolean(), settle::toString);
    }

    /** Ended by a result, and the one line says what a person has to know. */
    static void ends(int exit, String result, Agent agent, String said) throws IOException {
        E2e.assertEnds(exit, result, agent);
        String reason = agent.report().at("/error/reason").asText();
        assertTrue(reason.contains(said), agent::toString);
        assertTrue(reason.lines().count() == 1, agent::toString);
        assertTrue(agent.words().lines().noneMatch(line -> line.startsWith("\tat ")),
                agent::toString);
    }

    @Override
    public void close() throws IOException {
        rig.close();
    }
}
