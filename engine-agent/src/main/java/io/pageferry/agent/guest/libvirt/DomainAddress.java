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
import java.util.Map;

/**
 * A domain as the place of its monitor, which libvirt holds, and as that which ends its QEMU.
 *
 * @param uri        the domain
 * @param attributes its description for a target; empty for one that was found again
 */
record DomainAddress(LibvirtUri uri, Map<String, String> attributes) implements MonitorAddress {
    /** Finds the process of a domain that runs or is paused. */
    static QemuProcess find(LibvirtUri uri) throws GuestException {
        try (LibvirtConnection connection = uri.open();
                LibvirtDomain domain = connection.domain(uri.domain())) {
            if (!domain.isActive()) {
                throw new GuestException(ErrorCode.GUEST_MISMATCH, "the domain " + uri.domain()
                        + " does not run", "start it: virsh start " + uri.domain());
            }
            String xml = uri.ownXml().orElse(domain.xml(true));
            DomainAddress address = new DomainAddress(uri, DomainXml.parse(xml).attributes());
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
                handler -> DomainTransport.open(uri, handler), QmpClient.GREETING_LIMIT), pid);
    }

    /** As {@code virsh migrate} has it: libvirt ends it, and forgets it where that is asked. */
    @Override
    public void end(QemuControl qemu) throws IOException {
        try (LibvirtConnection connection = LibvirtConnection.open(uri.connect());
                LibvirtDomain domain = connection.domain(uri.domain())) {
            FileOwners owners = FileOwners.of(DomainXml.parse(domain.xml(false)).disks());
            domain.destroy();
            owners.restore();
            if (uri.undefine()) {
                domain.undefine();
            }
        } catch (LibvirtException e) {
            // One that is not defined is no more once it has ended.
            if (!e.isNoDomain()) {
                throw e;
            }
        }
    }

    @Override
    public void putInto(Map<String, String> recoveryAddress) {
        uri.putInto(recoveryAddress);
    }

    @Override
    public String remedy() {
        return "look whether libvirtd runs: virsh list";
    }
}
