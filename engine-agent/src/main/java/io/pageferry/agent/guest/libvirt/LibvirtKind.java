package io.pageferry.agent.guest.libvirt;

import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.StartDescription;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.guest.qemu.QemuGuest;
import io.pageferry.agent.guest.qemu.QemuHandle;
import io.pageferry.agent.guest.qemu.QemuKind;
import io.pageferry.agent.guest.qemu.QemuProcess;
import io.pageferry.agent.guest.qemu.qmp.QemuWarmUp;
import io.pageferry.agent.host.linux.libvirt.LibvirtConnection;
import io.pageferry.agent.host.linux.libvirt.LibvirtDomain;
import io.pageferry.agent.host.linux.libvirt.LibvirtException;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code libvirt:DOMAIN[?connect=URI]}: a QEMU guest that libvirt manages on both sides. */
public final class LibvirtKind implements GuestKind {
    /** Made by the service loader. */
    public LibvirtKind() {
    }

    @Override
    public String scheme() {
        return LibvirtUri.SCHEME;
    }

    @Override
    public void warmUp() throws IOException {
        QemuWarmUp.run();
    }

    @Override
    public Optional<String> operatorsOwn(GuestUri uri) {
        return LibvirtUri.operatorsOwn(uri);
    }

    @Override
    public SourceGuest openSource(GuestUri uri, GuestSetup setup) throws GuestException {
        DomainAddress.Found found = DomainAddress.find(LibvirtUri.parse(uri));
        return QemuGuest.open(found.process(), found.qemu(), setup);
    }

    @Override
    public TargetGuest openTarget(GuestUri uri, GuestSetup setup) throws GuestException {
        return LibvirtIncoming.open(LibvirtUri.parse(uri), setup);
    }

    /** A description for {@code receive --xml}, without what only libvirt may know. */
    @Override
    public StartDescription describe(GuestUri uri) throws GuestException {
        LibvirtUri named = LibvirtUri.parse(uri);
        return LibvirtUri.within(LibvirtUri.ANSWER, () -> describe(named));
    }

    private static StartDescription describe(LibvirtUri named) throws GuestException {
        try (LibvirtConnection connection = named.open();
                LibvirtDomain domain = connection.domain(named.domain())) {
            DomainXml xml = DomainXml.parse(domain.xml(false));
            List<String> host = new ArrayList<>();
            xml.files().forEach(file -> host.add("file: " + file));
            xml.networks().forEach(network -> host.add("network: " + network));
            StringBuilder marks = new StringBuilder();
            host.forEach(one -> marks.append("<!-- host ").append(one.replace("--", "- -"))
                    .append(" -->\n"));
            return new StartDescription((marks + xml.text()).getBytes(StandardCharsets.UTF_8),
                    List.of(), host, List.of());
        } catch (LibvirtException e) {
            throw LibvirtIncoming.failed(e);
        }
    }

    @Override
    public Optional<GuestHandle> handle(Map<String, String> recoveryAddress) {
        if (recoveryAddress.containsKey(LibvirtIncoming.FOLDER)) {
            return Optional.of(new LibvirtHandle(recoveryAddress));
        }
        DomainAddress address =
                new DomainAddress(LibvirtUri.of(recoveryAddress), Map.of(),
                        FileOwners.of(recoveryAddress));
        return Optional.of(new QemuHandle(QemuProcess.of(address, recoveryAddress),
                recoveryAddress));
    }

    @Override
    public boolean outlivesAgent() {
        return true;
    }

    @Override
    public List<Finding> inspect(GuestUri uri) throws GuestException {
        LibvirtUri domain = LibvirtUri.parse(uri);
        try (LibvirtConnection connection = domain.open()) {
            if (domain.isActive(connection)) {
                DomainAddress.Found found = DomainAddress.find(domain);
                return QemuKind.inspect(found.process(), found.qemu());
            }
        } catch (LibvirtException e) {
            throw LibvirtIncoming.failed(e);
        }
        return List.of(new Finding("state", Verdict.OK, "libvirt answers, and no domain "
                + domain.domain() + " runs here: it can be received", "", ""));
    }
}
