package io.pageferry.agent.guest.libvirt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.GuestUri;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LibvirtUriTest {
    private static LibvirtUri parse(String text) {
        return LibvirtUri.parse(GuestUri.parse(text));
    }

    @Test
    void namesADomainAndItsDaemon() {
        LibvirtUri plain = parse("libvirt:web");
        assertEquals(new LibvirtUri("web", "qemu:///system", false, false, Optional.empty()),
                plain);
        assertEquals("qemu:///session", parse("libvirt:web?connect=qemu:///session").connect());
        GuestUri options = GuestUri.parse("libvirt:web").with("undefine-source", "")
                .with("persistent", "").with("xml", "/tmp/web.xml");
        assertEquals(new LibvirtUri("web", "qemu:///system", true, true,
                Optional.of(Path.of("/tmp/web.xml"))), LibvirtUri.parse(options));
    }

    @Test
    void refusesWhatMakesNoSense() {
        for (String text : List.of("libvirt:", "libvirt: ", "libvirt:web?conect=x")) {
            IllegalArgumentException refused =
                    assertThrows(IllegalArgumentException.class, () -> parse(text));
            assertTrue(refused.getMessage().contains("write libvirt:DOMAIN"),
                    refused::getMessage);
        }
    }

    @Test
    void isFoundAgainByAJournal() {
        for (GuestUri uri : List.of(GuestUri.parse("libvirt:web"),
                GuestUri.parse("libvirt:web?connect=qemu:///session").with("persistent", "")
                        .with("undefine-source", ""))) {
            LibvirtUri domain = LibvirtUri.parse(uri);
            Map<String, String> recoveryAddress = new HashMap<>();
            domain.putInto(recoveryAddress);
            assertEquals(domain, LibvirtUri.of(recoveryAddress));
        }
    }
}
