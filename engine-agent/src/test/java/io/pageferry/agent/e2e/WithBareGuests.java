package io.pageferry.agent.e2e;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.DemoTools;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests of what happens while a guest moves. The guests are boot sectors, which start in no time;
 * one lives through several tests where it can.
 */
@Sampled
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class WithBareGuests {
    @TempDir
    static Path folder;

    private final List<BareGuest> guests = new ArrayList<>();
    final List<Agent> agents = new ArrayList<>();
    private DemoTools tools;
    Rig rig;
    BareGuest home;
    BareGuest waiting;
    private int count;

    @BeforeAll
    final void make() throws IOException {
        E2e.needTracking();
        tools = TestMachines.tools();
        rig = new Rig(folder);
    }

    @AfterAll
    final void end() throws IOException {
        if (rig != null) {
            rig.close();
        }
        for (BareGuest guest : guests) {
            guest.close();
        }
    }

    final void both() throws IOException {
        if (waiting != null && !waiting.condition().equals("inmigrate")) {
            waiting.close();
            waiting = null;
        }
        if (home != null && !home.condition().equals("running")) {
            home.close();
            home = null;
        }
        if (home == null) {
            home = keep(BareGuest.booting(tools, folder, "source" + ++count,
                    BareProgram.COUNTS));
        }
        if (waiting == null) {
            waiting = keep(BareGuest.waiting(tools, folder, "target" + ++count,
                    BareProgram.COUNTS));
        }
    }

    final void noAgentStays() throws IOException {
        endAgents();
        rig.awaitNothingLeft();
    }

    final void endAgents() throws IOException {
        for (Agent agent : agents) {
            rig.end(agent);
        }
        agents.clear();
    }

    private BareGuest keep(BareGuest guest) {
        guests.add(guest);
        return guest;
    }

    /** A move under way. */
    record Move(Agent source, Agent target) { }

    /** Begins a move and returns when the source stands still in a state, until it goes on. */
    final Move moving(String state, String... more) throws IOException {
        Agent target = rig.start("", List.of("receive", waiting.uri(), "--listen",
                "127.0.0.1:0", "--once"));
        List<String> arguments = new ArrayList<>(List.of("migrate", home.uri(), "--to",
                target.address()));
        arguments.addAll(List.of(more));
        Agent source = rig.start(state, arguments);
        agents.addAll(List.of(source, target));
        source.awaitHold(state);
        return new Move(source, target);
    }

    static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    final void act(String command, ObjectNode arguments) throws IOException {
        try (QemuControl other = home.other()) {
            other.qmp().execute(command, arguments);
        }
    }
}
