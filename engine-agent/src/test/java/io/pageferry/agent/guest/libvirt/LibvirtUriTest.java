package io.pageferry.agent.guest.libvirt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
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

    /** libvirt hangs for as long as its daemon does. */
    @Test
    void waitsNoLongerThanTheLimit() throws GuestException {
        CountDownLatch never = new CountDownLatch(1);
        GuestException late = assertThrows(GuestException.class,
                () -> LibvirtUri.within(Duration.ofMillis(20), () -> hang(never)));
        assertTrue(late.getMessage().contains("libvirt gives no answer in 0 s"),
                late::getMessage);
        Thread.currentThread().interrupt();
        assertThrows(GuestException.class,
                () -> LibvirtUri.within(Duration.ofMillis(20), () -> hang(never)));
        assertTrue(Thread.interrupted(), "who asks is told that it was interrupted");
        never.countDown();
        assertEquals("here", LibvirtUri.within(Requirements.HANG, () -> hang(never)));
    }

    private static String hang(CountDownLatch until) {
        try {
            until.await();
            return "here";
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void handsOnWhyItWasRefused() {
        GuestException why = new GuestException(ErrorCode.GUEST_FAILED, "why", "");
        assertSame(why, assertThrows(GuestException.class,
                () -> LibvirtUri.within(Requirements.HANG, () -> {
                    throw why;
                })));
        assertThrows(ArithmeticException.class,
                () -> LibvirtUri.within(Requirements.HANG, () -> 1 / Integer.parseInt("0")));
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

    /** So one that comes and one that leaves exclude each other. */
    @Test
    void hasOnePlaceOnAHost() {
        String web = place("libvirt:web");
        assertEquals(web, place("libvirt:web?connect=qemu+unix:///system"));
        assertNotEquals(web, place("libvirt:web2"));
        assertNotEquals(web, place("libvirt:web?connect=qemu:///session"));
    }

    private static String place(String uri) {
        Map<String, String> recoveryAddress = new HashMap<>();
        parse(uri).putInto(recoveryAddress);
        return recoveryAddress.get(GuestKind.PLACE);
    }

    /** libvirt would run what "command" names. */
    @Test
    void hasTheDaemonOfThisHost() {
        for (String text : List.of("libvirt:web?connect=qemu+ext:///system?command=/tmp/evil",
                "libvirt:web?connect=qemu+ssh://other/system", "libvirt:web?connect=qemu+tcp:///",
                "libvirt:web?connect=qemu://other/system", "libvirt:web?connect=test:///default",
                "libvirt:web?connect=qemu+unix:///system?socket=/run/x?command=/tmp/evil")) {
            assertThrows(IllegalArgumentException.class, () -> parse(text), text);
        }
        assertEquals("qemu+unix:///system?socket=/run/x",
                parse("libvirt:web?connect=qemu+unix:///system?socket=/run/x").connect());
    }

    @Test
    void isForACallerToNameAlone() {
        for (String text : List.of("libvirt:web?undefine-source=", "libvirt:web?persistent=",
                "libvirt:web?xml=/etc/shadow",
                "libvirt:web?connect=qemu+unix:///system?socket=/run/x")) {
            assertTrue(LibvirtUri.operatorsOwn(GuestUri.parse(text)).isPresent(), text);
        }
        assertEquals(Optional.empty(), LibvirtUri.operatorsOwn(
                GuestUri.parse("libvirt:web?connect=qemu:///session")));
    }
}
