package io.pageferry.agent.guest.libvirt;

import io.pageferry.agent.host.linux.libvirt.LibvirtConnection;
import io.pageferry.agent.host.linux.libvirt.LibvirtDomain;
import io.pageferry.agent.host.linux.libvirt.LibvirtException;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.words.Printable;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/** Whether a host can run a domain as it is described. Nothing is started. */
final class HostDomain {
    private static final String OWN = "give a description for this host: --xml FILE";

    private HostDomain() {
    }

    /**
     * Refuses one that cannot run here, or that a peer must not have started here.
     *
     * @param connection to libvirt
     * @param name       that it has to have
     * @param xml        its description
     * @param own        whether this host's operator wrote that
     * @throws GuestException with what has to be another
     */
    static void require(LibvirtConnection connection, String name, DomainXml xml, boolean own)
            throws GuestException {
        if (!xml.name().equals(name)) {
            throw mismatch("the domain is called " + xml.name() + " at the source",
                    "receive libvirt:" + xml.name() + ", or " + OWN);
        }
        Optional<String> forbidden = own ? Optional.empty() : xml.forbidden();
        if (forbidden.isPresent()) {
            throw mismatch("the source's description has " + Printable.of(forbidden.get())
                    + ", which only this host's operator may have", OWN);
        }
        try {
            if (!own) {
                requireEmulator(connection, xml);
            }
            for (String file : xml.files()) {
                if (!exists(file)) {
                    throw mismatch("this host has no " + file, OWN);
                }
            }
            requireSame(connection, xml);
            connection.requireStartable(xml.text());
        } catch (LibvirtException e) {
            throw mismatch("libvirt cannot start the domain here: " + e.getMessage(), OWN);
        }
    }

    /** libvirt starts no domain under the name of another one, and would say so late. */
    private static void requireSame(LibvirtConnection connection, DomainXml xml)
            throws GuestException, LibvirtException {
        try (LibvirtDomain defined = connection.domain(xml.name())) {
            String here = DomainXml.parse(defined.xml(false)).uuid();
            if (!here.equals(xml.uuid())) {
                throw mismatch("a domain " + xml.name() + " is defined on this host with the UUID "
                        + here + ", and the source's has " + xml.uuid(), "virsh undefine "
                        + xml.name() + " here, or give a description with that UUID: --xml FILE");
            }
        } catch (LibvirtException e) {
            if (!e.isNoDomain()) {
                throw e;
            }
        }
    }

    /** False also for what this process has no characters for. */
    private static boolean exists(String file) {
        try {
            return Files.exists(Path.of(file));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    /** libvirt runs that program, even to see what it can do. */
    private static void requireEmulator(LibvirtConnection connection, DomainXml xml)
            throws GuestException, LibvirtException {
        String here = DomainXml.emulatorOf(
                connection.capabilities(xml.architecture(), xml.type()));
        if (!xml.emulator().isEmpty() && !xml.emulator().equals(here)) {
            throw mismatch("the source's QEMU is " + xml.emulator() + ", and this host's is "
                    + here, OWN);
        }
    }

    private static GuestException mismatch(String what, String remedy) {
        return new GuestException(ErrorCode.GUEST_MISMATCH, what, remedy);
    }
}
