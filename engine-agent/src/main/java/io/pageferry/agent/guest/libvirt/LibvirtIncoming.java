package io.pageferry.agent.guest.libvirt;

import io.pageferry.agent.guest.AfterResume;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.guest.qemu.DeviceSaver;
import io.pageferry.agent.guest.qemu.QemuKind;
import io.pageferry.agent.guest.qemu.QemuProcess;
import io.pageferry.agent.guest.qemu.disk.DiskFiles;
import io.pageferry.agent.guest.qemu.firmware.FirmwareBlocks;
import io.pageferry.agent.guest.qemu.memory.QemuMemory;
import io.pageferry.agent.guest.qemu.memory.WaitingMemory;
import io.pageferry.agent.guest.qemu.socket.SocketFolder;
import io.pageferry.agent.guest.room.RoomClaim;
import io.pageferry.agent.host.linux.libvirt.LibvirtConnection;
import io.pageferry.agent.host.linux.libvirt.LibvirtDomain;
import io.pageferry.agent.host.linux.libvirt.LibvirtException;
import io.pageferry.agent.host.memory.RegionMemory;
import io.pageferry.agent.host.process.UsageWatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.agrona.CloseHelper;

/**
 * A domain at the target. Nothing is there before the first page comes; then libvirt restores it
 * from a pipe, and has it from that moment on: see {@link Restore}.
 */
final class LibvirtIncoming implements TargetGuest {
    static final String FOLDER = "restore";

    private final LibvirtUri uri;
    private final GuestSetup.Injector injector;
    private final RoomClaim room;
    private final Optional<String> ownXml;
    private final SocketFolder folder =
            SocketFolder.draw(ProcessHandle.current().pid());
    private LibvirtConnection connection;
    private Restore restore;
    private GuestDescription fits;
    private RegionMemory regions;
    private Optional<String> access = Optional.empty();
    private boolean arrived;
    private Optional<UsageWatch> usage = Optional.empty();

    private LibvirtIncoming(LibvirtUri uri, GuestSetup.Injector injector,
            LibvirtConnection connection, Optional<String> ownXml, RoomClaim room) {
        this.uri = uri;
        this.injector = injector;
        this.room = room;
        this.connection = connection;
        this.ownXml = ownXml;
    }

    static LibvirtIncoming open(LibvirtUri uri, GuestSetup setup) throws GuestException {
        if (setup.prealloc()) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "--prealloc: libvirt starts the"
                    + " domain when it comes", "have <allocation mode='immediate'/> in its"
                    + " <memoryBacking>");
        }
        LibvirtConnection connection = uri.open();
        boolean opened = false;
        try {
            Optional<String> own = uri.ownXml();
            if (own.isPresent()) {
                DomainXml.parse(own.get()); // said before a source comes
            }
            LibvirtIncoming incoming = new LibvirtIncoming(uri, setup.injector(), connection,
                    own, setup.room());
            incoming.requireAbsent();
            opened = true;
            return incoming;
        } finally {
            if (!opened) {
                connection.close();
            }
        }
    }

    private void requireAbsent() throws GuestException {
        if (!connection.isAlive()) {
            connection.close();
            connection = uri.open();
        }
        boolean active = LibvirtUri.within(LibvirtUri.ANSWER, () -> {
            try {
                return uri.isActive(connection);
            } catch (LibvirtException e) {
                throw failed(e);
            }
        });
        if (active) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "a domain " + uri.domain()
                    + " runs on this host already", "destroy it, or receive on another host");
        }
    }

    @Override
    public void requireFits(GuestDescription offered) throws GuestException {
        if (!offered.kind().equals(QemuKind.SCHEME) || !DeviceSaver.isFormOf(offered)) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "only a QEMU guest can become a"
                    + " domain, and one whose devices can be saved alone (machines from 2.4 on)",
                    "receive it as " + offered.kind() + ":");
        }
        requireAbsent();
        DomainXml xml = xml(offered);
        LibvirtUri.within(LibvirtUri.ANSWER, () -> {
            HostDomain.require(connection, uri.domain(), xml, ownXml.isPresent());
            return null;
        });
        room.requireMemory(offered.dataBytes());
        fits = offered;
    }

    private DomainXml xml(GuestDescription offered) throws GuestException {
        Optional<String> sent = DomainXml.of(offered.attributes());
        return DomainXml.parse(ownXml.or(() -> sent).orElseThrow(() -> new GuestException(
                ErrorCode.GUEST_MISMATCH, "the source is no domain of libvirt, and sends no"
                + " description of one", "receive with --xml FILE")));
    }

    @Override
    public PageStore prepare(GuestDescription offered) throws GuestException {
        if (fits == offered) {
            // The rest of it libvirt itself looks at when it starts the domain.
            requireAbsent();
        } else {
            requireFits(offered);
        }
        String xml = xml(offered).text();
        restore = Restore.start(folder, uri, xml, injector);
        boolean prepared = false;
        try {
            QemuMemory memory = WaitingMemory.find(restore.qemu().pid(), offered);
            DiskFiles.requireOpen(restore.qemu().pid(), offered.attributes());
            FirmwareBlocks.requireHere(restore.qemu().pid(), offered.attributes());
            regions = memory.map(true);
            memory.requireRoom(room, offered.dataBytes(), regions);
            define(xml);
            access = Optional.of(regions.access().label());
            prepared = true;
            return regions;
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "cannot look into QEMU (pid "
                    + restore.qemu().pid() + "): " + e.getMessage(), "run this as root");
        } finally {
            if (!prepared) {
                discard();
            }
        }
    }

    /**
     * Before the guest is here, so that a refusal still leaves it at the source. What this host's
     * operator has defined by that name stays as it is.
     */
    private void define(String xml) throws GuestException {
        if (!uri.persistent()) {
            return;
        }
        try (LibvirtDomain domain = connection.domain(uri.domain())) {
            if (!domain.isPersistent()) {
                new RestoredDomain(folder).defined();
                connection.define(xml);
            }
        } catch (LibvirtException e) {
            throw failed(e);
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "the domain cannot be defined: "
                    + e.getMessage(), "free room in " + folder.path().getParent());
        }
    }

    @Override
    public void loadState(byte[] state) throws GuestException {
        restore.load(state);
    }

    @Override
    public void resume() throws GuestException {
        takeOver();
        try {
            new RunningDomain(uri, false).resume();
        } catch (GuestException e) {
            if (e.neverRan()) {
                restore.end();
            }
            throw e;
        }
        usage = UsageWatch.start(restore.qemu().pid());
    }

    @Override
    public void arrivePaused() throws GuestException {
        takeOver();
    }

    /** From here on it has its disks. Nothing but our word lets it run. */
    private void takeOver() throws GuestException {
        try {
            restore.finish();
            arrived = true;
        } catch (GuestException e) {
            restore.end();
            throw e.provablyNeverRan();
        }
    }

    @Override
    public Optional<String> memoryAccess() {
        return access;
    }

    @Override
    public Optional<AfterResume> afterResume() {
        return QemuProcess.fared(usage);
    }

    @Override
    public void discardOrThrow() throws GuestException {
        release();
        if (restore != null) {
            restore.end();
            new RestoredDomain(folder).undefine(uri);
            restore.close();
            restore = null;
        }
    }

    @Override
    public Optional<String> ended() {
        return restore == null || restore.beats() ? Optional.empty()
                : Optional.of("the domain " + uri.domain() + " (pid " + restore.qemu().pid()
                        + ") ended at the target");
    }

    @Override
    public String identity() {
        return "libvirt:" + uri.connect() + ":" + uri.domain();
    }

    @Override
    public Map<String, String> recoveryAddress() {
        Map<String, String> recoveryAddress = new HashMap<>();
        uri.putInto(recoveryAddress);
        recoveryAddress.put(FOLDER, folder.path().toString());
        return recoveryAddress;
    }

    @Override
    public void close() {
        release();
        if (restore != null && arrived) {
            restore.close();
        }
        CloseHelper.close(connection);
    }

    private void release() {
        CloseHelper.close(regions);
        regions = null;
    }

    static GuestException failed(LibvirtException e) {
        return new GuestException(ErrorCode.HOST_FAILED, "libvirt says: " + e.getMessage(), "");
    }
}
