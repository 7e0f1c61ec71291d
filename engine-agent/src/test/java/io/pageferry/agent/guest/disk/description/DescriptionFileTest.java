package io.pageferry.agent.guest.disk.description;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.disk.description.MachineDescription.Bus;
import io.pageferry.agent.guest.disk.description.MachineDescription.Card;
import io.pageferry.agent.guest.disk.description.MachineDescription.Disk;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Descriptions of three kinds, what is made of them, and what is refused. */
class DescriptionFileTest {
    private static final String VMX = Samples.VMX;
    private static final String OVF = Samples.OVF;
    private static final String XML = Samples.XML;

    @TempDir
    private Path folder;

    @BeforeEach
    void disks() throws IOException {
        for (String name : List.of("web.vmdk", "data.vmdk", "data-flat.vmdk", "db-disk1.vmdk",
                "mail.vmdk")) {
            Files.writeString(folder.resolve(name), "a disk");
        }
    }

    private DescriptionFile read(String name, String text) throws IOException {
        return DescriptionFile.read(Files.writeString(folder.resolve(name), text));
    }

    private void assertRefused(String name, String text, String why) throws IOException {
        GuestException no = assertThrows(GuestException.class, () -> read(name, text));
        assertTrue(no.getMessage().contains(why), no.getMessage());
        assertFalse(no.getMessage().contains("\n"), no.getMessage());
    }

    @Test
    void aMachineOfVmwareIsRead() throws IOException {
        DescriptionFile file = read("web.vmx", VMX);
        MachineDescription machine = file.machine();
        assertEquals("web-server-1", machine.name());
        assertEquals(2048L << 20, machine.memoryBytes());
        assertEquals(2, machine.cpus());
        assertFalse(machine.uefi());
        assertEquals(List.of(new Disk(folder.resolve("data.vmdk"), "vmdk", Bus.IDE),
                new Disk(folder.resolve("web.vmdk"), "vmdk", Bus.PVSCSI)), machine.disks());
        assertEquals(List.of(new Card("vmxnet3", "00:0c:29:01:02:03")), machine.cards());
        assertEquals(List.of("ide1:0, which is a cdrom-image and no disk", "the device sound"),
                file.notes());
        assertEquals("qcow2", file.usualFormat());
    }

    /** As ESXi has them: the data lie in a file of their own, as they are. */
    @Test
    void aDiskWhoseDataLieBesideItIsRaw() throws IOException {
        String text = """
                # Disk DescriptorFile
                version=1
                parentCID=ffffffff
                createType="vmfs"
                RW 16777216 VMFS "data-flat.vmdk"
                """;
        Files.writeString(folder.resolve("data.vmdk"), text);
        assertEquals(new Disk(folder.resolve("data-flat.vmdk"), "raw", Bus.IDE),
                read("web.vmx", VMX).machine().disks().getFirst());
        Files.writeString(folder.resolve("data.vmdk"), text.replace("ffffffff", "00c0ffee"));
        assertRefused("web.vmx", VMX, "since a snapshot");
        Files.writeString(folder.resolve("data.vmdk"), text.replace("data-flat", "../shadow"));
        assertRefused("web.vmx", VMX, "no file beside it");
    }

    /** Who made the folder could have any file of this host copied by it. */
    @Test
    void aLinkIsNotFollowed() throws IOException {
        Path secret = Files.writeString(folder.resolve("secret"), "of this host");
        Files.delete(folder.resolve("data-flat.vmdk"));
        Files.createSymbolicLink(folder.resolve("data-flat.vmdk"), secret);
        Files.writeString(folder.resolve("data.vmdk"), "# Disk DescriptorFile\n"
                + "parentCID=ffffffff\nRW 1 FLAT \"data-flat.vmdk\" 0\n");
        assertRefused("web.vmx", VMX, "'data-flat.vmdk', and what is there is no file but a link");
        Files.delete(folder.resolve("data.vmdk"));
        Files.createSymbolicLink(folder.resolve("data.vmdk"), secret);
        assertRefused("web.vmx", VMX, "'data.vmdk', and what is there is no file but a link");
        Files.delete(folder.resolve("data.vmdk"));
        assertRefused("web.vmx", VMX, "'data.vmdk', and there is no such file");
        Files.delete(folder.resolve("db-disk1.vmdk"));
        Files.createSymbolicLink(folder.resolve("db-disk1.vmdk"), secret);
        assertRefused("db.ovf", OVF, "'db-disk1.vmdk', and what is there is no file but a link");
    }

    @Test
    void aPackageIsRead() throws IOException {
        DescriptionFile file = read("db.ovf", OVF);
        MachineDescription machine = file.machine();
        assertEquals("db", machine.name());
        assertEquals(512L << 20, machine.memoryBytes());
        assertEquals(4, machine.cpus());
        assertTrue(machine.uefi());
        assertEquals(List.of(new Disk(folder.resolve("db-disk1.vmdk"), "vmdk", Bus.SATA)),
                machine.disks());
        assertEquals(List.of(new Card("e1000", "")), machine.cards());
        assertTrue(file.notes().getFirst().contains("adapter 'lsilogic' of db-disk1.vmdk"),
                file.notes().toString());
        assertTrue(file.notes().getLast().contains("firmware"), file.notes().toString());
    }

    @Test
    void aDomainBecomesAMachineOfVmware() throws IOException {
        DescriptionFile file = read("mail.xml", XML);
        assertEquals(List.of(new Disk(Path.of("/images/mail.qcow2"), "qcow2", Bus.VIRTIO)),
                file.machine().disks());
        assertEquals("vmdk", file.usualFormat());
        assertEquals(List.of("sda, which is a cdrom and no disk", "the device <tpm>",
                "virtio, which VMware has not: such disks are on SATA then"), file.notes());
        Path written = file.write(folder, List.of(new Disk(folder.resolve("mail.vmdk"), "vmdk",
                Bus.VIRTIO))).getFirst();
        assertEquals(folder.resolve("mail.vmx"), written);
        MachineDescription back = DescriptionFile.read(written).machine();
        assertEquals(new MachineDescription("mail", 1L << 30, 2, false,
                List.of(new Disk(folder.resolve("mail.vmdk"), "vmdk", Bus.SATA)),
                List.of(new Card("e1000", "52:54:00:01:02:03")), List.of(), null), back);
    }

    @Test
    void libvirtsFormOfOneSaysTheSame() throws IOException {
        DescriptionFile file = read("web.vmx", VMX);
        Path copy = Files.createDirectory(folder.resolve("it's, all"));
        List<Disk> copies = List.of(new Disk(copy.resolve("web-0.qcow2"), "qcow2", Bus.IDE),
                new Disk(copy.resolve("web-1.qcow2"), "qcow2", Bus.PVSCSI));
        List<Path> written = file.write(copy, copies);
        assertEquals(List.of(copy.resolve("web-server-1.sh"), copy.resolve("web-server-1.xml")),
                written);
        String xml = Files.readString(written.getLast());
        MachineDescription back = DescriptionFile.read(written.getLast()).machine();
        assertEquals(copies.stream().map(Disk::file).toList(),
                back.disks().stream().map(Disk::file).toList());
        assertEquals(file.machine().cards(), back.cards());
        assertEquals(file.machine().memoryBytes(), back.memoryBytes());
        assertTrue(xml.contains("model='vmpvscsi'") && xml.contains("dev='hda' bus='ide'")
                && xml.contains("dev='sda' bus='scsi'"), xml);
        String line = Files.readString(written.getFirst());
        assertTrue(line.contains("'file=" + copy.toString().replace("'", "'\\''")
                .replace(",", ",,") + "/web-1.qcow2,format=qcow2,if=none,id=disk1'"), line);
        assertTrue(line.contains("-device pvscsi,id=pvscsi"), line);
        assertThrows(IOException.class, () -> file.write(copy, copies), "it was there");
        Files.delete(written.getFirst());
        assertThrows(IOException.class, () -> file.write(copy, copies), "the second one was");
        assertFalse(Files.exists(written.getFirst()), "the first one is left");
        assertEquals(xml, Files.readString(written.getLast()));
    }

    @Test
    void whatCannotBeOneIsRefused() throws IOException {
        assertRefused("a.vmx", VMX.replace("web.vmdk", "/etc/shadow"), "no file beside it");
        assertRefused("a.vmx", VMX + "no line", "no key");
        assertRefused("a.vmx", VMX.replace("memsize", "memory"), "no size of its memory");
        assertRefused("a.vmx", VMX + "encryption.data = \"x\"\n", "encrypted");
        assertRefused("a.vmx", "memsize = \"1024\"\n", "no disk");
        assertRefused("a.ovf", OVF.replace("ovf:size", "ovf:compression"), "compressed");
        assertRefused("a.ovf", OVF.replace("ovf:fileRef=\"f1\"", ""), "has no file");
        assertRefused("a.ovf", OVF.replace("byte * 2^20", "furlongs"), "furlongs");
        assertRefused("a.ovf", XML, "it begins with <domain>");
        assertRefused("a.xml", XML.replace("/images", "images"), "no absolute path");
        assertRefused("a.xml", XML.replace("source file", "source name"), "in no file");
        assertRefused("a.xml", "<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
                + XML.replace("mail", "&x;"), "DOCTYPE");
        assertRefused("a.xml", " ".repeat(1 << 20) + XML, "more than 1048576 bytes");
    }
}
