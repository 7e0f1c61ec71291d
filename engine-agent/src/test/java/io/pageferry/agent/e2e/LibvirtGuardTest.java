package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What becomes of a domain whose agents are killed, or which cannot be taken over. */
@Tag("full")
class LibvirtGuardTest extends WithLibvirt {
    @Test
    void aTargetKilledBeforeTheGrantLeavesNothing() throws IOException {
        Agent target = receive(1, "ready");
        Agent source = migrate(0, target.address(), "");
        target.awaitHold("ready");
        assertEquals("paused", host(1).state(NAME));
        target.kill();
        E2e.assertEnds(4, "failed", source);
        // The source hears of it before the target's guard has sent it away.
        Poll.until(() -> host(1).state(NAME).isEmpty(), () -> "it is left at the target");
        livesAt(0);
        rig.awaitNothingLeft();
    }

    /** Its guard holds the pipe, and gives QEMU the end of its state. */
    @Test
    void aTargetKilledBehindTheGrantIsFinishedByItsGuard() throws IOException {
        Agent target = receive(1, "active");
        Agent source = migrate(0, target.address(), "", "--settle-window", "1s");
        target.awaitHold("active");
        assertEquals("paused", host(1).state(NAME));
        target.kill();
        E2e.assertEnds(6, "in-doubt", source);
        Poll.until(() -> host(1).state(NAME).equals("running"), () -> "nobody finished it");
        assertEquals("paused", host(0).state(NAME));
        ticksOn();
    }

    /** Whose the disk is: libvirt gives it back to root where it ends a domain. */
    @Test
    void aSourceKilledBehindTheGrantIsFinishedByItsGuard() throws IOException {
        String owner = owner();
        Agent target = receive(1, "");
        Agent source = migrate(0, target.address(), "done", "--undefine-source");
        source.awaitHold("done");
        assertEquals("paused", host(0).state(NAME));
        source.kill();
        Poll.until(() -> host(0).virsh("list", "--all", "--name").isEmpty(),
                () -> "nobody finished it");
        E2e.assertEnds(0, "completed", target);
        livesAt(1);
        rig.awaitNothingLeft();
        assertEquals(owner, owner());
    }

    /** It never ran, and goes back, where it waits for its disk. */
    @Test
    void aDiskThatAnotherProgramHoldsGivesItBack() throws IOException {
        Agent target = receive(1, "active");
        Agent source = migrate(0, target.address(), "");
        target.awaitHold("active");
        try (Holder holder = Holder.take(image)) {
            target.goOn();
            E2e.assertEnds(4, "failed", target);
            E2e.assertEnds(6, "in-doubt", source);
            assertTrue(source.toString().contains(holder.words()),
                    source::toString);
        }
        assertEquals("paused", host(0).state(NAME));
        host(0).must("resume", NAME);
        livesAt(0);
        rig.awaitNothingLeft();
    }

    /** A guard does not say so: whether its agent had let it run nobody knows. */
    @Test
    void aGuardGivesNothingBack() throws IOException {
        Agent target = receive(1, "active");
        Agent source = migrate(0, target.address(), "", "--settle-window", "1s");
        target.awaitHold("active");
        try (Holder holder = Holder.take(image)) {
            target.kill();
            E2e.assertEnds(6, "in-doubt", source);
            rig.awaitNothingLeft();
            assertTrue(holder.process().isAlive());
        }
        assertEquals("paused", host(0).state(NAME));
        assertEquals("paused", host(1).state(NAME));
        host(1).must("resume", NAME);
        host(0).must("destroy", NAME);
        livesAt(1);
    }

    /** Its guard holds the pipe as long as this agent lives, and QEMU would wait as long. */
    @Test
    void whatCannotBeNotedIsEnded() throws IOException {
        Path held = Files.createFile(folder.resolve("held"));
        Path emulator = folder.resolve("emulator");
        Files.writeString(emulator, "#!/bin/sh\ncase \"$*\" in *-incoming*)\n    while [ -e "
                + held + " ]; do sleep 0.1; done\nesac\nexec qemu-system-x86_64 \"$@\"\n");
        Files.setPosixFilePermissions(emulator, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path socket = folder.resolve("again.sock");
        Agent target = rig.start(new Agent.Start(host(1).prefix(), List.of(), List.of("receive",
                GUEST, "--listen", "unix:" + socket, "--xml", described("<emulator>.*</emulator>",
                "<emulator>" + emulator + "</emulator>"))));
        target.address();
        Agent source = migrate(0, "unix:" + socket, "");
        Poll.until(() -> !restores().isEmpty(), () -> "no pipe");
        Files.createDirectory(restores().getFirst().resolve("qemu"));
        Files.delete(held);
        E2e.assertEnds(4, "failed", source);
        // It is refused once it has ended.
        assertEquals("", host(1).state(NAME));
        livesAt(0);
        rig.end(target);
    }

    /** Folders of domains that a target's libvirt is to restore. */
    private List<Path> restores() throws IOException {
        try (Stream<Path> all = Files.list(rig.temporary())) {
            return all.filter(one -> Files.exists(one.resolve("pipe"))).toList();
        }
    }
}
