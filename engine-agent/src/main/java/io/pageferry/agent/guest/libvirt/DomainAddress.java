package io.pageferry.agent.guest.libvirt;

import io.pageferry.agent.guest.qemu.QemuProcess;
import io.pageferry.agent.guest.qemu.qmp.MonitorAddress;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpClient;
import io.pageferry.agent.host.linux.ProcText;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.libvirt.LibvirtConnection;
import io.pageferry.agent.host.linux.libvirt.LibvirtDomain;
import io.pageferry.agent.host.linux.libvirt.LibvirtException;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.agrona.CloseHelper;

/**
 * A domain as the place of its monitor, which libvirt holds, and as that which ends its QEMU.
 *
 * @param uri        the domain
 * @param attributes its description for a target; empty for one that was found again
 * @param owners     whose its disks were when it was found
 */
record DomainAddress(LibvirtUri uri, Map<String, String> attributes, FileOwners owners)
        implements MonitorAddress {
    private static final Duration FIND = Duration.ofSeconds(40);
    private static final Duration GREETING = Duration.ofSeconds(15);

    /**
     * A domain's process.
     *
     * @param process of it
     * @param qemu    the monitor of that, the caller's to close
     */
    record Found(QemuProcess process, QemuControl qemu) { }

    /** Finds the process of a domain that runs or is paused, by one connection. */
    static Found find(LibvirtUri uri) throws GuestException {
        return LibvirtUri.within(FIND, () -> look(uri));
    }

    private static Found look(LibvirtUri uri) throws GuestException {
        LibvirtConnection connection = uri.open();
        LibvirtDomain domain = null;
        boolean handedOn = false;
        try {
            domain = connection.domain(uri.domain());
            DomainAddress address = of(uri, domain);
            handedOn = true;
            return address.found(new DomainTransport.Link(connection, domain));
        } catch (LibvirtException e) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "libvirt (" + uri.connect()
                    + ") says: " + e.getMessage(), e.isNoDomain()
                    ? "virsh list --all shows its domains" : "");
        } finally {
            if (!handedOn) {
                CloseHelper.closeAll(domain, connection);
            }
        }
    }

    private static DomainAddress of(LibvirtUri uri, LibvirtDomain domain)
            throws GuestException, LibvirtException {
        if (!domain.isActive()) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "the domain " + uri.domain()
                    + " does not run", "start it: virsh start " + uri.domain());
        }
        DomainXml own = DomainXml.parse(domain.xml(true));
        Optional<String> other = uri.ownXml();
        DomainXml sent = other.isEmpty() ? own : DomainXml.parse(other.get());
        return new DomainAddress(uri, sent.attributes(), FileOwners.of(own.disks()));
    }

    private Found found(DomainTransport.Link link) throws GuestException {
        QmpClient client = null;
        boolean found = false;
        try {
            client = connect(Optional.of(link));
            // One of its vCPUs: libvirt does not tell a process's number.
            long thread = new QemuControl(client).vcpuThreads().iterator().next();
            long pid = ProcText.parse("Tgid", Processes.status(thread, "Tgid"), Long::parseLong);
            DomainAddress whole = new DomainAddress(uri, attributes, owners.writtenBy(pid));
            Found result = new Found(QemuProcess.of(whole, pid), new QemuControl(client, pid));
            found = true;
            return result;
        } catch (IOException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED, e.getMessage(), "look whether "
                    + uri.domain() + " runs, and run this as root");
        } finally {
            if (!found) {
                CloseHelper.close(client);
            }
        }
    }

    @Override
    public QemuControl connect(long pid) throws IOException {
        return new QemuControl(connect(Optional.empty()), pid);
    }

    /** A link that is there is the client's from here on. */
    private QmpClient connect(Optional<DomainTransport.Link> link) throws IOException {
        return QmpClient.connect("libvirt's of " + uri.domain(),
                handler -> DomainTransport.open(uri, link, handler), GREETING);
    }

    /** As {@code virsh migrate} has it. */
    @Override
    public void end(QemuControl qemu) throws IOException {
        try (LibvirtConnection connection = LibvirtConnection.open(uri.connect());
                LibvirtDomain domain = connection.domain(uri.domain())) {
            domain.destroy();
        }
    }

    /** A target's libvirt gave the disks to root, which it ended a domain of, or will soon. */
    @Override
    public void keepsGuest() {
        owners.restore();
    }

    /** Best effort: the guest lives elsewhere, and virsh undefine does what is left undone. */
    @Override
    public void ended() {
        owners.restore();
        if (!uri.undefine()) {
            return;
        }
        try (LibvirtConnection connection = LibvirtConnection.open(uri.connect());
                LibvirtDomain domain = connection.domain(uri.domain())) {
            if (!domain.isActive()) {
                domain.undefine(true);
            }
        } catch (LibvirtException e) {
            return; // one that was not defined is no more once it has ended
        }
    }

    @Override
    public void putInto(Map<String, String> recoveryAddress) {
        uri.putInto(recoveryAddress);
        owners.putInto(recoveryAddress);
    }

    @Override
    public String remedy() {
        return "look whether libvirtd runs: virsh list";
    }
}
