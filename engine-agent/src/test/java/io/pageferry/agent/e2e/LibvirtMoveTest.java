package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.GuestLoad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Domains of unmodified libvirts move, and are what they were; or they are refused. */
@Tag("full")
class LibvirtMoveTest extends WithLibvirt {
    private static final int HOPS = Draw.FULL ? 7 : 2;
    /** In full it is 21 moves, at three rates of writes. */
    private static final List<GuestLoad> RATES = Draw.FULL ? List.of(E2e.CALM,
            new GuestLoad(10, 32, 1 << 10, 0, 0, false),
            new GuestLoad(10, 32, 8 << 10, 0, 0, true)) : List.of(E2e.CALM);

    @Test
    void hopsAndIsManagedAfterEach() throws IOException {
        for (GuestLoad load : RATES) {
            if (load != RATES.getFirst()) {
                host(HOPS).must("destroy", NAME);
                host(HOPS).must("undefine", NAME);
                boot(load);
            }
            hops();
        }
        rig.awaitNothingLeft();
    }

    private void hops() throws IOException {
        for (int hop = 0; hop < HOPS; hop++) {
            Agent target = receive(hop + 1, "", "--persistent");
            Agent source = migrate(hop, target.address(), "", "--undefine-source");
            E2e.assertMoved(source, target);
            System.out.printf("hop %d: %.0f ms, downtime %.0f ms%n", hop,
                    source.report().path("totalMs").asDouble(),
                    source.report().path("downtimeMs").asDouble());
            livesAt(hop + 1);
            assertEquals("", host(hop).virsh("list", "--all", "--name"));
            assertEquals(NAME, host(hop + 1).virsh("list", "--persistent", "--name"));
            LibvirtHost here = host(hop + 1);
            Poll.until(() -> here.heard(MAC), () -> "the guest was not announced");
            here.must("suspend", NAME);
            assertEquals("paused", here.state(NAME));
            here.must("resume", NAME);
            ticksOn();
        }
    }

    @Test
    void aPausedOneArrivesPaused() throws IOException {
        host(0).must("suspend", NAME);
        Agent target = receive(1, "");
        E2e.assertMoved(migrate(0, target.address(), ""), target);
        assertEquals("paused", host(1).state(NAME));
        assertEquals("shut off", host(0).state(NAME));
        host(1).must("resume", NAME);
        livesAt(1);
    }

    /** What the operator of the target has defined outlives a move that comes to nothing. */
    @Test
    void aDomainThatIsDefinedAtTheTargetStays() throws IOException {
        host(1).must("define", described("<name>", "<name>"));
        host(1).must("desc", NAME, "--config", "the target's own");
        Agent target = receive(1, "ready", "--persistent");
        Agent source = migrate(0, target.address(), "");
        target.awaitHold("ready");
        target.kill();
        E2e.assertEnds(4, "failed", source);
        Poll.until(() -> host(1).state(NAME).equals("shut off"), () -> "it is left running");
        assertEquals("the target's own", host(1).must("desc", NAME, "--config"));
        Agent again = receive(1, "", "--persistent");
        E2e.assertMoved(migrate(0, again.address(), ""), again);
        livesAt(1);
        assertEquals("the target's own", host(1).must("desc", NAME, "--config"));
    }

    /** The target neither has the disk nor is on the network before it is granted. */
    @Test
    void aLinkCutBeforeTheGrantLeavesItAtTheSource() throws IOException {
        Agent target = receive(1, "");
        try (CutAtFrame cable = new CutAtFrame(target.address(), CutAtFrame.READY, 1)) {
            Agent source = migrate(0, cable.address(), "");
            cable.awaitCut(source);
            E2e.assertEnds(4, "failed", source);
            E2e.assertEnds(4, "failed", target);
        }
        assertFalse(host(1).heard(MAC), "a frame of the guest left the target");
        livesAt(0);
        assertEquals("", host(1).virsh("list", "--all", "--name"));
        rig.awaitNothingLeft();
        Agent again = receive(1, "");
        E2e.assertMoved(migrate(0, again.address(), ""), again);
        livesAt(1);
    }

    /** Another description: the disk has another path at the target. */
    @Test
    void anOperatorsDescriptionIsTaken() throws IOException {
        Agent described = rig.command(new Agent.Start(host(0).prefix(), List.of(),
                List.of("describe", GUEST)));
        assertEquals(0, described.exit(), described::toString);
        ObjectNode event = described.await("description",
                one -> one.path("event").asText().equals("description"));
        assertTrue(event.path("host").toString().contains("file: " + image), event::toString);
        Path link = Files.createSymbolicLink(folder.resolve("link.qcow2"), image);
        Path own = Files.writeString(folder.resolve("own.xml"),
                event.path("file").asText().replace(image.toString(), link.toString()));
        Agent target = receive(1, "", "--xml", own.toString());
        E2e.assertMoved(migrate(0, target.address(), ""), target);
        livesAt(1);
        assertTrue(host(1).must("dumpxml", NAME).contains(link.toString()));
    }

    @Test
    void whatDoesNotFitIsRefused() throws IOException {
        refuses("this host has no " + image, () -> Files.move(image, folder.resolve("aside")));
        Files.move(folder.resolve("aside"), image);
        refuses("<qemu:commandline>, which only this host's operator", () -> { }, "--xml",
                described("<devices>", "<qemu:commandline xmlns:qemu="
                + "'http://libvirt.org/schemas/domain/qemu/1.0'><qemu:arg value='-S'/>"
                + "</qemu:commandline><devices>"));
        host(1).must("define", folder.resolve("web.xml").toString());
        refuses("is defined on this host with the UUID", () -> { });
        host(1).must("undefine", NAME);
        refuses("is called other at the source", () -> { }, "--xml",
                described("<name>.*</name>", "<name>other</name>"));
        refuses("the source's QEMU is /usr/bin/true", () -> { }, "--xml",
                described("<emulator>.*</emulator>", "<emulator>/usr/bin/true</emulator>"));
        refuses("does not support machine type", () -> { }, "--xml",
                described("machine='[^']*'", "machine='pc-i440fx-99.9'"));
        Agent taken = rig.start(new Agent.Start(host(0).prefix(), List.of(), List.of("receive",
                GUEST, "--listen", "unix:" + folder.resolve("x.sock"), "--once")));
        E2e.assertEnds(3, "refused", taken);
        assertTrue(taken.toString().contains("runs on this host already"), taken::toString);
        livesAt(0);
    }

    private interface Act {
        void act() throws IOException;
    }

    private void refuses(String reason, Act before, String... more) throws IOException {
        Agent target = receive(1, "");
        before.act();
        Agent source = migrate(0, target.address(), "", more);
        E2e.assertEnds(3, "refused", source);
        assertTrue(source.toString().contains(reason), source::toString);
        rig.end(target);
    }
}
