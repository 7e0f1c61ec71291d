package io.pageferry.agent.guest.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.GuestUri;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The folder of a machine, and what is left of one that ended. */
class MachineFolderTest {
    @TempDir
    private Path base;

    private MachineFolder folder(String name) {
        return MachineFolder.of(MachineUri.target(GuestUri.parse("machine:"
                + base.resolve(name) + "?format=raw")));
    }

    @Test
    void whatStartsItIsWrittenBesideItsDisks() throws Exception {
        MachineFolder folder = folder("web");
        folder.begin();
        folder.describe(HardwareJsonTest.WEB);
        folder.keep();
        Path path = folder.path();
        String script = Files.readString(path.resolve("qemu.sh"));
        assertTrue(script.contains("-machine q35,accel=kvm:tcg \\\n    -m 1024 \\\n    -smp 2"),
                script);
        assertTrue(script.contains("-cpu max") && script.contains("-bios "), script);
        assertTrue(script.contains("-drive 'file=" + path
                + "/disk0.raw,format=raw,if=none,id=disk0'"), script);
        assertTrue(script.contains("-device virtio-blk-pci,drive=disk0"), script);
        assertTrue(script.contains("model=virtio-net-pci,mac=52:54:00:aa:bb:01"), script);
        String uuid = script.replaceAll("(?s).*-uuid ([0-9a-f-]{36}).*", "$1");
        String domain = Files.readString(path.resolve("machine.xml"));
        assertTrue(domain.contains("<uuid>" + uuid + "</uuid>"), domain);
        assertEquals(HardwareJsonTest.WEB,
                HardwareJson.read(Files.readAllBytes(path.resolve("machine.json"))));
        assertFalse(folder.isClaimed());
    }

    @Test
    void whatIsThereIsNeverReplaced() throws Exception {
        Path path = Files.createDirectory(base.resolve("used"));
        Files.writeString(path.resolve("mine"), "mine");
        GuestException no = assertThrows(GuestException.class, folder("used")::begin);
        assertTrue(no.getMessage().contains("is not empty: mine"), no.getMessage());
        Path file = Files.createFile(base.resolve("file"));
        assertThrows(GuestException.class, folder("file")::requireFree);
        assertThrows(GuestException.class, folder("none/web")::requireFree);
        Files.delete(file);
        Files.createSymbolicLink(file, base.resolve("nowhere"));
        assertThrows(GuestException.class, folder("file")::requireFree);
        Path open = Files.createDirectory(base.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
        GuestException others = assertThrows(GuestException.class, folder("open")::requireFree);
        assertTrue(others.remedy().contains("chmod go-w"), others.remedy());
    }

    /** A recovery deletes what its own move made, and nothing of another one. */
    @Test
    void whatWasNotGrantedIsDeletedByWhoMadeItAlone() throws Exception {
        MachineFolder folder = folder("web");
        GuestHandle handle = MachineHandle.of(new MachineHandle(folder, false).address())
                .orElseThrow();
        handle.end();
        assertEquals(GuestHandle.Condition.GONE, handle.condition());
        folder.begin();
        Files.writeString(folder.disk(0), "a disk");
        folder.describe(HardwareJsonTest.WEB);
        assertEquals(GuestHandle.Condition.PAUSED, handle.condition());
        MachineHandle.of(new MachineHandle(folder("web"), false).address()).orElseThrow().end();
        assertTrue(Files.exists(folder.disk(0)));
        handle.end();
        assertFalse(Files.exists(folder.path()));
    }

    /** What was there before stays, and so does what is whole. */
    @Test
    void whatIsWholeStays() throws Exception {
        MachineFolder folder = folder("web");
        Files.createDirectory(folder.path());
        folder.begin();
        Files.writeString(folder.disk(0), "a disk");
        folder.giveUp();
        assertTrue(Files.isDirectory(folder.path()));
        folder.begin();
        Files.writeString(folder.disk(0), "a disk");
        GuestHandle handle = new MachineHandle(folder, false);
        handle.resume();
        handle.end();
        assertTrue(Files.exists(folder.disk(0)));
    }

    /** The line that was run is in the message: nobody else knows it. */
    @Test
    void aMachineThatDoesNotStartIsSaidWithItsLine() throws IOException {
        MachineFolder folder = folder("web");
        folder.begin();
        Files.writeString(folder.script(), "#!/bin/sh\necho 'no such card'\nexit 1\n");
        Files.setPosixFilePermissions(folder.script(),
                PosixFilePermissions.fromString("rwx------"));
        GuestException no = assertThrows(GuestException.class,
                new MachineStart(folder)::start);
        assertTrue(no.getMessage().contains("it ended with 1: no such card; what was run: "
                + folder.script() + " -daemonize -display none -serial file:"), no.getMessage());
        assertFalse(no.neverRan());
    }
}
