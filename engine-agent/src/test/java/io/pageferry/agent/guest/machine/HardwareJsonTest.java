package io.pageferry.agent.guest.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.machine.Hardware.Card;
import io.pageferry.agent.guest.machine.Hardware.Disk;
import io.pageferry.agent.guest.machine.Hardware.Mounted;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A machine's description, and those that somebody made who means harm. */
class HardwareJsonTest {
    static final Hardware WEB = new Hardware("web", true, 1L << 30, 2,
            List.of(new Disk("/dev/sda", 4096)), List.of(new Mounted("/", "ext4", "/dev/sda1")),
            List.of(new Card("ens8", "52:54:00:aa:bb:01")), Map.of("sys_vendor", "QEMU"));

    private static String text() throws IOException {
        return new String(HardwareJson.write(WEB), StandardCharsets.UTF_8);
    }

    private static IOException refused(String text) {
        return assertThrows(IOException.class,
                () -> HardwareJson.read(text.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void whatWasWrittenIsRead() throws IOException {
        assertEquals(WEB, HardwareJson.read(HardwareJson.write(WEB)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
            "machine/1 | machine/2 | its schema is 'pageferry.machine/2'",
            "\"web\" | \"../../etc\" | 'name' of the description is '../../etc'",
            "\"web\" | \"-name\" | 'name' of the description",
            "\"web\" | 7 | no printable text",
            "\"uefi\" | \"coreboot\" | its firmware is 'coreboot'",
            "1073741824 | -1 | 'memoryBytes' of the description is no number",
            "1073741824 | 1e9 | 'memoryBytes' of the description is no number",
            "1073741824 | 99999999999999999999 | no number",
            "52:54:00:aa:bb:01 | 52:54:00:aa:bb:01,id=x | 'mac' of one of its cards",
            "52:54:00 | 53:54:00 | 'mac' of one of its cards",
            "\"ens8\" | \"e\\u001b[2J\" | no printable text",
            "\"cpus\" | \"cpu\" | has no 'cpus'",
            "\"cpus\" | \"more\" : 1, \"cpus\" | 'more' of the description is not known",
            "\"cpus\" | \"name\" : \"x\", \"cpus\" | it is no JSON: Duplicate",
            "\"sys_vendor\" | \"sys vendor\" | 'sys vendor' of dmi is not known",
            "\"dmi\" | \"dmi\" : 1, \"disks\" | Duplicate",
    })
    void whatIsOtherwiseIsRefusedInOneLine(String what, String by, String why)
            throws IOException {
        assertTrue(text().contains(what), what);
        IOException no = refused(text().replace(what, by));
        assertTrue(no.getMessage().contains(why), no.getMessage());
        assertFalse(no.getMessage().contains("\n"), no.getMessage());
    }

    @Test
    void whatIsNoObjectIsRefused() throws IOException {
        for (String text : List.of("", "[]", "7", text() + "{}", "{", "[".repeat(5000))) {
            assertFalse(refused(text).getMessage().isEmpty());
        }
        String disk = "{\"node\":\"/dev/sda\",\"bytes\":1},";
        refused(text().replace("\"disks\" : [", "\"disks\" : [" + disk.repeat(Hardware.MOST)));
        refused(" ".repeat(1 << 20) + text());
    }
}
