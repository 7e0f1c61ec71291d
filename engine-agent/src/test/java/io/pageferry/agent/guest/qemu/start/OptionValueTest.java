package io.pageferry.agent.guest.qemu.start;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OptionValueTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "pc", "pc,accel=kvm", "file=/a,,b,if=none", "a=,b", "type=q35",
        "unix:/x,server=on", "{\"driver\":\"file\",\"n\":1}", "{no json"})
    void whatIsNotChangedStaysAsItWasWritten(String text) {
        assertEquals(text, OptionValue.parse(text).toString());
    }

    @Test
    void aKeyIsFoundAndChanged() {
        OptionValue value = OptionValue.parse("virtio-net-pci,netdev=n0,mac=a,,b,mac=c");
        assertEquals(Optional.of("virtio-net-pci"), value.first());
        assertEquals(Optional.of("virtio-net-pci"), value.get("driver", true));
        assertEquals(Optional.of("c"), value.get("mac"));
        assertEquals("virtio-net-pci,netdev=n1,mac=a,,b,mac=c,bus=x,,y",
                value.with("netdev", "n1").with("bus", "x,y").toString());
        assertEquals("virtio-net-pci,netdev=n0", value.without("mac").toString());
    }

    @Test
    void jsonIsReadByPaths() {
        OptionValue value = OptionValue.parse(
                "{\"driver\":\"qcow2\",\"file\":{\"driver\":\"file\",\"filename\":\"/a\"}}");
        assertEquals(Optional.of("/a"), value.get("file.filename"));
        assertEquals("{\"driver\":\"qcow2\",\"file\":{\"driver\":\"file\",\"filename\":\""
                + RawText.of("/ü") + "\"}}",
                value.with("file.filename", RawText.of("/ü")).toString());
    }

    @Test
    void aCommandLineIsCutIntoOptions() {
        assertEquals(List.of(new QemuOption("name", "vm"), new QemuOption("S", null),
                new QemuOption("append", "-x"), new QemuOption("hda", "disk.img"),
                new QemuOption("nodefaults", null), new QemuOption("m", null)),
                QemuOption.parse(List.of("-name", "vm", "-S", "--append", "-x", "disk.img",
                        "-nodefaults", "-m")));
    }
}
