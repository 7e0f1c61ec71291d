package io.pageferry.agent.guest.libvirt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.DeflaterOutputStream;
import org.junit.jupiter.api.Test;

class DomainXmlTest {
    private static final String DOMAIN = """
            <domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
              <name>web</name><description>Größe
            of two lines</description>
              <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
                <loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE.fd</loader>
                <kernel>/boot/vmlinuz</kernel></os>
              <devices>
                <emulator>/usr/bin/qemu-system-x86_64</emulator>
                <disk type='file'><source file='/srv/a b.qcow2'/></disk>
                <disk type='block'><source dev='/dev/vg/b'/></disk>
                <disk type='file' device='cdrom'/>
                <disk type='network'><source protocol='rbd' name='pool/c'/></disk>
                <interface type='bridge'><source bridge='br0'/></interface>
                <interface type='network'><source network='default'/></interface>
                <interface type='user'/>
              </devices>%s
            </domain>
            """;

    @Test
    void saysWhatAHostHasToHave() throws GuestException {
        DomainXml xml = DomainXml.parse(DOMAIN.formatted(""));
        assertEquals(List.of("web", "kvm", "x86_64", "/usr/bin/qemu-system-x86_64"),
                List.of(xml.name(), xml.type(), xml.architecture(), xml.emulator()));
        assertEquals(List.of("/srv/a b.qcow2", "/dev/vg/b"), xml.disks());
        assertEquals(List.of("/srv/a b.qcow2", "/dev/vg/b", "/boot/vmlinuz",
                "/usr/share/OVMF/OVMF_CODE.fd"), xml.files());
        assertEquals(List.of("br0", "default"), xml.networks());
        assertEquals(Optional.empty(), xml.forbidden());
    }

    /** libvirt finds what a reader of the first element of a name would not see. */
    @Test
    void tellsWhatAPeerMustNotHaveStarted() throws GuestException {
        assertEquals(Optional.empty(), DomainXml.parse(DOMAIN.formatted("<metadata>"
                + "<a:b xmlns:a='urn:x'><script/></a:b></metadata>"
                + "<seclabel type='dynamic' model='dac' relabel='yes'/>")).forbidden());
        Map<String, String> forbidden = new HashMap<>(Map.of(
                "<qemu:commandline><qemu:arg value='-S'/></qemu:commandline>",
                "<qemu:commandline>",
                "<devices><emulator>/tmp/x</emulator></devices>", "several <devices>",
                "<name>other</name>", "several <name>",
                "<devices xmlns='urn:x'/>", "several <devices>",
                "<x:devices xmlns:x='urn:x'/>", "several <devices>",
                "<x:y xmlns:x='urn:x'/>", "<x:y>",
                "<seclabel type='none'/>", "<seclabel>",
                "<y><interface type='ethernet'><script path='/x'/></interface></y>", "<script>"));
        for (Map.Entry<String, String> one : forbidden.entrySet()) {
            assertEquals(Optional.of(one.getValue()), DomainXml.parse(
                    DOMAIN.formatted(one.getKey())).forbidden(), one.getKey());
        }
    }

    /** Also one of many devices, in a description of a guest as it goes over the wire. */
    @Test
    void goesIntoAttributesAndBack() throws GuestException {
        StringBuilder many = new StringBuilder();
        for (int i = 0; i < 5000; i++) {
            many.append("<x a='").append(Integer.toHexString(i * 0x9e3779b9)).append("'/>\n");
        }
        String whole = DOMAIN.formatted(many);
        Map<String, String> attributes = new HashMap<>(DomainXml.parse(whole).attributes());
        assertTrue(attributes.size() > 1, attributes.keySet()::toString);
        attributes.put("qemu.machine", "pc");
        GuestDescription sent = new GuestDescription("qemu", "web", new RegionTable(List.of(
                new Region(0, "ram", 0, 4096, 4096))), 0, attributes);
        assertEquals(whole, DomainXml.of(sent.attributes()).orElseThrow());
        assertEquals(Optional.empty(), DomainXml.of(Map.of("qemu.machine", "pc")));
    }

    @Test
    void refusesWhatIsNone() throws IOException {
        for (String text : List.of("", "web", "<network/>", "<domain>",
                "<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
                + "<domain>&x;</domain>")) {
            GuestException refused =
                    assertThrows(GuestException.class, () -> DomainXml.parse(text));
            assertTrue(refused.getMessage().contains("is no domain of libvirt"),
                    refused::getMessage);
        }
        for (String value : List.of("?", "AAAA", inflating(3 << 20))) {
            assertThrows(GuestException.class,
                    () -> DomainXml.of(Map.of("libvirt.xml.000", value)));
        }
    }

    /** Letters for a text that is much longer than they are. */
    private static String inflating(int bytes) throws IOException {
        ByteArrayOutputStream deflated = new ByteArrayOutputStream();
        try (DeflaterOutputStream out = new DeflaterOutputStream(deflated)) {
            out.write(new byte[bytes]);
        }
        return Base64.getEncoder().encodeToString(deflated.toByteArray());
    }
}
