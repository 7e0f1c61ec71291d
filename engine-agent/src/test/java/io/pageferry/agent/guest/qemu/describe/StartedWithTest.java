package io.pageferry.agent.guest.qemu.describe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.qemu.start.QemuOption;
import io.pageferry.core.migration.GuestException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StartedWithTest {
    private static final Path MONITOR = Path.of("/run/vm1.qmp");
    private static final String MINE = "qemu\0-qmp\0unix:/run/vm1.qmp,server=on\0";

    private static StartedWith of(String commandLine) {
        return new StartedWith("/usr/bin/qemu", StartedWith.options(commandLine), "/", 0, 0,
                List.of());
    }

    @Test
    void aCommandLineIsReadAsTheKernelHasIt() throws GuestException {
        StartedWith started = of(MINE + "-name\0\0-append\0a b\n\0");
        assertEquals(List.of(new QemuOption("qmp", "unix:/run/vm1.qmp,server=on"),
                new QemuOption("name", ""), new QemuOption("append", "a b\n")),
                started.options());
        started.requireWhole(1, MONITOR);
        started.requireNothingHandedIn();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "qemu: vm1 is running", "qemu\0-qmp\0unix:/other,server=on\0",
        MINE + "-readconfig\0/etc/vm1.cfg\0"})
    void oneThatWasWrittenOverOrIsNotAllIsRefused(String commandLine) {
        GuestException refused = assertThrows(GuestException.class,
                () -> of(commandLine).requireWhole(1, MONITOR));
        assertTrue(refused.getMessage().contains("-readconfig"), refused.getMessage());
    }

    /** As libvirt writes them. */
    @ParameterizedTest
    @ValueSource(strings = {"-chardev\0socket,id=charmonitor,fd=21,server=on,wait=off\0",
        "-netdev\0tap,fd=23,id=hostnet0,vhost=on,vhostfd=25\0", "-add-fd\0set=1,fd=3\0",
        "-netdev\0{\"type\":\"tap\",\"fds\":\"3:4\",\"id\":\"n\"}\0",
        "-drive\0file=/dev/fdset/2,if=none\0", "-device\0vhost-scsi-pci,vhostfd=3\0",
        "-blockdev\0{\"driver\":\"file\",\"filename\":\"/dev/fdset/1\",\"node-name\":\"a\"}\0"})
    void whatWasHandedInIsLeftToLibvirt(String option) {
        GuestException refused = assertThrows(GuestException.class,
                () -> of(MINE + option).requireNothingHandedIn());
        assertTrue(refused.getMessage().contains("open descriptors"), refused.getMessage());
        assertTrue(refused.remedy().contains("libvirt:DOMAIN"), refused.remedy());
    }

    /** A zero byte is what no locale can say. */
    @Test
    void aNameThatTheLocaleCannotSayIsAskedFor() {
        StartedWith started = new StartedWith("/usr/bin/qemu",
                List.of(new QemuOption("kernel", "a\0b")), "/srv", 0, 0, List.of());
        Draft draft = new Draft(started.options());
        new HostThings(started).makeAbsolute(draft);
        assertEquals(1, draft.untold().size());
        assertTrue(draft.untold().getFirst().contains("-kernel"), draft.untold()::toString);
    }
}
