package io.pageferry.agent.guest.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How machines are named, and that they are their disks in all else. */
class MachineKindTest {
    /** Of guests with memory, or answered by what {@link MachineGuest} describes. */
    private static final Set<String> NOT_OF_DISKS = Set.of("throttle", "throttleReason",
            "throttleTrouble", "features", "storageReady", "canCopyStorage", "copyStorage",
            "copied", "resumedExternally", "drained", "check");

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "machine:/dev/sda | at the source a machine is this host",
            "machine:?disks=sda | write absolute paths",
            "machine:?format=raw | a machine at the source has no 'format'",
    })
    void aSourceThatMakesNoSenseIsRefused(String text, String why) {
        assertWrong(why, () -> MachineUri.disks(GuestUri.parse(text)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "machine: | receive a machine where?",
            "machine:/m?disks=/dev/sda | a machine at the target has no 'disks'",
            "machine:/m?format=iso | of a machine's disks there are qcow2, raw",
            "machine:/a,b | without a comma",
    })
    void aTargetThatMakesNoSenseIsRefused(String text, String why) {
        assertWrong(why, () -> MachineUri.target(GuestUri.parse(text)));
    }

    private static void assertWrong(String why, Runnable parse) {
        IllegalArgumentException no = assertThrows(IllegalArgumentException.class, parse::run);
        assertTrue(no.getMessage().contains(why), no.getMessage());
    }

    @Test
    void whatIsSaidOfDisksIsHandedOn() {
        GuestUri uri = GuestUri.parse("machine:?disks=/dev/sda,/dev/sdb&tracker=none")
                .with("on-read-error", "zero");
        GuestUri disks = MachineUri.of(uri, MachineUri.disks(uri));
        assertEquals("disk:/dev/sda,/dev/sdb", disks.text());
        assertEquals("none", disks.parameters().get("tracker"));
        assertEquals("zero", disks.parameters().get("on-read-error"));
        assertEquals(2, disks.parameters().size());
    }

    @Test
    void aMachineGoesOffWhereItWasAndKeepsItsStateInMemory() {
        MachineKind kind = new MachineKind();
        assertEquals(After.POWEROFF, kind.afterwards().getFirst());
        assertEquals(Path.of("/run/pageferry-machine"), kind.stateDirectory().orElseThrow());
        assertEquals("start", kind.operatorsOwn(GuestUri.parse("machine:/m").with("start", ""))
                .orElseThrow());
    }

    /** A method that is added to guests must not be answered as if there were no disks. */
    @Test
    void everythingElseIsAskedOfTheDisks() {
        Set<String> own = names(List.of(MachineGuest.class.getDeclaredMethods()).stream());
        Set<String> asked = names(Stream.of(SourceGuest.class.getMethods()));
        asked.removeAll(own);
        asked.removeAll(NOT_OF_DISKS);
        assertEquals(Set.of(), asked);
    }

    private static Set<String> names(Stream<Method> methods) {
        return methods.map(Method::getName).collect(Collectors.toSet());
    }
}
