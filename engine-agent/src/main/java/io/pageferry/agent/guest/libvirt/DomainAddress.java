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

    /** Finds the process of a domain that runs or is paused. */
    static QemuProcess find(LibvirtUri uri) throws GuestException {
        return LibvirtUri.within(FIND, () -> look(uri));
    }

    private static QemuProcess look(LibvirtUri uri) throws GuestException {
        try (LibvirtConnection connection = uri.open();
                LibvirtDomain domain = connection.domain(uri.domain())) {
            if (!domain.isActive()) {
                throw new GuestException(ErrorCode.GUEST_MISMATCH, "the domain " + uri.domain()
                        + " does not run", "start it: virsh start " + uri.domain());
            }
            DomainXml own = DomainXml.parse(domain.xml(true));
            Optional<String> other = uri.ownXml();
            DomainXml sent = other.isEmpty() ? own : DomainXml.parse(other.get());
            DomainAddress address = new DomainAddress(uri, sent.attributes(),
                    FileOwners.of(own.disks()));
            try (QemuControl qemu = address.connect(ProcessHandle.current().pid())) {
                // One of its vCPUs: libvirt does not tell a process's number.
                long thread = qemu.vcpuThreads().iterator().next();
                long pid = ProcText.parse("Tgid", Processes.status(thread, "Tgid"),
                        Long::parseLong);
                return QemuProcess.of(address, pid);
            }
        } catch (LibvirtException e) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "libvirt (" + uri.connect()
                    + ") says: " + e.getMessage(), e.isNoDomain()
                    ? "virsh list --all shows its domains" : "");
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED, e.getMessage(), "look whether "
                    + uri.domain() + " runs, and run this as root");
        }
    }

    @Override
    public QemuControl connect(long pid) throws IOException {
        return new QemuControl(QmpClient.connect("libvirt's of " + uri.domain(),
                handler -> DomainTransport.open(uri, handler), GREETING), pid);
    }

    /** As {@code virsh migrate} has it. */
    @Override
    public void end(QemuControl qemu) throws IOException {
        try (LibvirtConnection connection = LibvirtConnection.open(uri.connect());
                LibvirtDomain domain = connection.domain(uri.domain())) {
            domain.destroy();
        }
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
