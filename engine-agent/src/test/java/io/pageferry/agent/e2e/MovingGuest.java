package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pageferry.agent.demo.ConsoleLog;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QemuControl.Settings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A guest that checks itself, and the QEMU where it lives at the moment. It is known from its
 * first tick on, through all its homes.
 */
final class MovingGuest {
    private final Rig rig;
    private final DemoMachine machine;
    private final List<Path> past = new ArrayList<>();
    private DemoQemu qemu;
    private Traces untouched;
    private Settings settings;

    private MovingGuest(Rig rig, DemoMachine machine) throws IOException {
        this.rig = rig;
        this.machine = machine;
        this.qemu = rig.booting(machine);
    }

    /**
     * Boots a guest and returns when it works. Nothing of ours has touched it by then: one that
     * hangs in its boot, as was seen once with two processors under TCG, is told of and left.
     */
    static MovingGuest boot(Rig rig, DemoMachine machine) throws IOException {
        MovingGuest home = new MovingGuest(rig, machine);
        if (!Poll.comes(Poll.LIMIT, () -> home.log().ready())) {
            System.out.println("a guest did not boot: " + home.lastWords());
            rig.end(home.qemu);
            home.qemu = rig.booting(machine);
            Poll.until(() -> home.log().ready(), () -> "it did not boot: "
                    + home.lastWords());
        }
        home.remember();
        return home;
    }

    private String lastWords() {
        try {
            String all = Files.readString(qemu.console(), StandardCharsets.ISO_8859_1);
            return all.substring(Math.max(0, all.length() - 2000)) + " [" + Rig.condition(qemu)
                    + "]";
        } catch (IOException e) {
            return e.toString();
        }
    }

    DemoMachine machine() {
        return machine;
    }

    DemoQemu qemu() {
        return qemu;
    }

    ConsoleLog log() throws IOException {
        List<Path> all = new ArrayList<>(past);
        all.add(qemu.console());
        return ConsoleLog.read(all);
    }

    /** {@return all that it printed, in all its homes} */
    String console() throws IOException {
        StringBuilder text = new StringBuilder();
        for (Path one : past) {
            text.append(Files.readString(one, StandardCharsets.ISO_8859_1));
        }
        return text.append(Files.readString(qemu.console(), StandardCharsets.ISO_8859_1))
                .toString();
    }

    /**
     * Notes how its process looks while nobody works on it, with migration settings as an operator
     * might have chosen them.
     */
    void remember() throws IOException {
        rig.awaitNothingLeft();
        try (QemuControl control = qemu.control()) {
            control.setCapabilities(Map.of(QemuControl.IGNORE_SHARED, false,
                    "auto-converge", true));
            control.qmp().execute("migrate-set-parameters", JsonNodeFactory.instance.objectNode()
                    .put("max-bandwidth", 50_000_000).put("downtime-limit", 250));
            settings = control.settings();
        }
        Poll.until(() -> Rig.isFree(qemu), () -> "somebody still talks to the monitor");
        untouched = Traces.of(qemu.process().pid());
    }

    /** It runs here, ticks on, and never missed a tick or found a wrong page. */
    void livesOn() throws IOException {
        assertEquals("running", Rig.condition(qemu));
        ticksOn();
    }

    /** It ticks on. */
    void ticksOn() throws IOException {
        long goal = log().lastTick() + Math.max(5, 250 / machine.load().tickMillis());
        Poll.until(() -> log().lastTick() >= goal, () -> "stopped before tick " + goal);
        unharmed();
    }

    /** Whatever it printed so far is in order. */
    void unharmed() throws IOException {
        ConsoleLog log = log();
        assertEquals(List.of(), log.gaps());
        assertEquals(0, log.bad(), () -> "first of them: " + log.ticks().stream()
                .filter(tick -> tick.bad() > 0).limit(5).toList() + ", said: " + log.problems());
        assertEquals(List.of(), log.problems());
    }

    /** Nothing of an agent is in its process, and its settings are those that it had. */
    void isAsItWas() throws IOException {
        try (QemuControl control = qemu.control()) {
            assertEquals(settings, control.settings());
        }
        Poll.until(() -> Traces.of(qemu.process().pid()).equals(untouched), () -> {
            try {
                return "left in the guest's process: " + Traces.of(qemu.process().pid())
                        + "\nit was: " + untouched;
            } catch (IOException e) {
                return "the guest is gone";
            }
        });
    }

    /** It lives in another QEMU now, and all is well with it there. */
    void livesOnAt(DemoQemu next) throws IOException {
        movedTo(next);
        livesOn();
    }

    /** {@return the last tick that it printed in its homes before this one} */
    long pastTicks() throws IOException {
        return ConsoleLog.read(past).lastTick();
    }

    /** It lives in another QEMU now; the old one goes, its console is kept. */
    void movedTo(DemoQemu next) throws IOException {
        Path kept = rig.folder().resolve("console" + past.size() + "-" + qemu.process().pid());
        Files.copy(qemu.console(), kept);
        past.add(kept);
        rig.end(qemu);
        qemu = next;
    }
}
