package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What somebody else does to a domain by virsh while it moves. */
@Tag("full")
class LibvirtMeanwhileTest extends WithLibvirt {
    @Test
    void somebodyDestroysItMeanwhile() throws IOException {
        Agent target = receive(1, "");
        Agent source = migrate(0, target.address(), "round 0");
        source.awaitHold("round 0");
        host(0).must("destroy", NAME);
        source.goOn();
        E2e.assertEnds(8, "guest-ended", source);
        target.exit();
        assertEquals("shut off", host(0).state(NAME));
        Poll.until(() -> host(1).state(NAME).isEmpty(), () -> "it is left at the target");
    }

    /** A domain that is saved away by its host has ended there; one that is paused moves so. */
    @Test
    void somebodySavesItAwayMeanwhile() throws IOException {
        Agent target = receive(1, "");
        Agent source = migrate(0, target.address(), "round 0");
        source.awaitHold("round 0");
        host(0).must("managedsave", NAME);
        source.goOn();
        E2e.assertEnds(8, "guest-ended", source);
        target.exit();
        Poll.until(() -> host(1).state(NAME).isEmpty(), () -> "it is left at the target");
        host(0).must("start", NAME);
        livesAt(0);
    }

    @Test
    void somebodySuspendsItMeanwhile() throws IOException {
        Agent target = receive(1, "");
        Agent source = migrate(0, target.address(), "round 0");
        source.awaitHold("round 0");
        host(0).must("suspend", NAME);
        source.goOn();
        E2e.assertMoved(source, target);
        assertEquals("paused", host(1).state(NAME));
        host(1).must("resume", NAME);
        livesAt(1);
    }

    /** Its source would end the domain by its name, and that may be the one that comes. */
    @Test
    void oneThatIsToComeIsNotSentAway() throws IOException {
        host(0).must("destroy", NAME);
        Agent comes = receive(0, "");
        host(0).must("start", NAME);
        String nobody = "unix:" + folder.resolve("nobody.sock");
        assertEquals("busy", refused(migrate(0, nobody, "")));
        comes.signal(Signal.TERM);
        E2e.assertEnds(7, "cancelled", comes);
        assertNotEquals("busy", refused(migrate(0, nobody, "")));
        assertEquals("running", host(0).state(NAME));
    }

    private static String refused(Agent source) throws IOException {
        E2e.assertEnds(3, "refused", source);
        return source.report().at("/error/code").asText();
    }

    /** To the same host, which has a domain of that name already: theirs is refused. */
    @Test
    void somebodyMigratesItToTheSameHost() throws IOException {
        Agent target = receive(1, "");
        Agent source = migrate(0, target.address(), "round 0");
        source.awaitHold("round 0");
        String said = host(0).virsh(theirs(host(1)));
        assertTrue(said.contains("domain 'web' is already active"), said);
        source.goOn();
        E2e.assertMoved(source, target);
        livesAt(1);
    }

    /** To a third host: the domain has left. */
    @Test
    void somebodyMigratesItAway() throws IOException {
        addHost("c");
        LibvirtHost third = hosts.get(2);
        Agent target = receive(1, "");
        Agent source = migrate(0, target.address(), "round 0");
        source.awaitHold("round 0");
        host(0).must(theirs(third));
        source.goOn();
        E2e.assertEnds(8, "guest-ended", source);
        E2e.assertEnds(4, "failed", target);
        Poll.until(() -> host(1).state(NAME).isEmpty(), () -> "it is left at the target");
        assertEquals("shut off", host(0).state(NAME));
        assertEquals("running", third.state(NAME));
        ticksOn();
    }

    /** To a third host, and it is under way still when ours would pause it. */
    @Test
    void somebodyMigratesItMeanwhile() throws IOException {
        addHost("c");
        LibvirtHost third = hosts.get(2);
        Agent target = receive(1, "");
        Agent source = migrate(0, target.address(), "round 0");
        source.awaitHold("round 0");
        Process theirs = host(0).begin(theirs(third, "--bandwidth", "1"));
        Poll.until(() -> host(0).virsh("domjobinfo", NAME).contains("Memory processed"),
                () -> "their migration does not begin");
        source.goOn();
        E2e.assertEnds(4, "failed", source);
        assertTrue(source.toString().contains("another migration of the guest was started"),
                source::toString);
        host(0).must("domjobabort", NAME);
        assertTrue(TwoHosts.await(theirs) != 0);
        livesAt(0);
        assertEquals("", third.state(NAME));
    }

    /** QEMU 7.2 aborts where it is to give images up that it gave up already. */
    @Test
    void somebodyMigratesWhatRunsAtTheTarget() throws IOException {
        addHost("c");
        LibvirtHost third = hosts.get(2);
        Agent target = receive(1, "");
        Agent source = migrate(0, target.address(), "done");
        source.awaitHold("done");
        String said = host(0).virsh(theirs(third));
        assertTrue(said.contains("error:"), said);
        Poll.until(() -> host(0).state(NAME).equals("shut off"), () -> "QEMU goes on: " + said);
        assertEquals("", third.state(NAME));
        source.goOn();
        E2e.assertArrived(source, target);
        assertTrue(source.words().contains("the guest's memory here cannot be read"),
                source::toString);
        livesAt(1);
    }

    private String[] theirs(LibvirtHost to, String... more) {
        return WithRig.with(List.of("migrate", "--live", "--unsafe", NAME,
                "qemu+unix:///system?socket=" + to.socket(),
                "--migrateuri", "unix://" + rig.temporary().resolve("theirs.sock")), more)
                .toArray(new String[0]);
    }
}
