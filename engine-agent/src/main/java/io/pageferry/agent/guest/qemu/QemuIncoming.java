package io.pageferry.agent.guest.qemu;

import io.pageferry.agent.guest.AfterResume;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.guest.qemu.check.Objection;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.check.QemuInspector;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.disk.DiskExports;
import io.pageferry.agent.guest.qemu.disk.DiskFiles;
import io.pageferry.agent.guest.qemu.disk.QemuFailure;
import io.pageferry.agent.guest.qemu.disk.Tunnel;
import io.pageferry.agent.guest.qemu.firmware.FirmwareBlocks;
import io.pageferry.agent.guest.qemu.memory.OfferedMemory;
import io.pageferry.agent.guest.qemu.memory.QemuMemory;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpClient;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.qmp.SavedDevices;
import io.pageferry.agent.guest.room.RoomClaim;
import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.memory.RegionMemory;
import io.pageferry.agent.host.process.UsageWatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.StreamLink;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.agrona.CloseHelper;

/**
 * A QEMU at the target that was started with {@code -S -incoming defer}. Before its memory is
 * complete and proved it gets no command that cannot be taken back: so it can be left as it was
 * found.
 */
final class QemuIncoming implements TargetGuest {
    /** The QEMU as it waits. */
    record Found(QemuControl qemu, QemuFacts facts, TargetSettings before) { }

    /** The memory for a guest that fits. */
    private record Fit(GuestDescription offered, QemuMemory memory) { }

    /** What becomes of a QEMU in which no guest is to stay. */
    interface Ending {
        /** Ends a loaded one for good; throws where that fails. */
        void end(QemuControl qemu) throws GuestException;

        /** Called once it is closed and no guest is in it; one that was there before stays. */
        default void closed() {
        }
    }

    private final QemuProcess process;
    private final Ending ending;
    private final RoomClaim room;
    private final LivenessProbe liveness;
    private final QemuControl qemu;
    private QemuFacts facts;
    private final TargetSettings before;
    private Fit fit;
    private RegionMemory regions;
    private final TargetSettings.Arrival arrival;
    private Optional<String> access = Optional.empty();
    private final DiskExports exports;
    private StreamLink link;
    private Tunnel tunnel;
    private boolean unauthorised;
    private boolean ranUnauthorised;
    private Optional<UsageWatch> usage = Optional.empty();

    QemuIncoming(QemuProcess process, Ending ending, RoomClaim room, Found found) {
        this.process = process;
        this.ending = ending;
        this.room = room;
        this.liveness = new LivenessProbe(process);
        this.qemu = found.qemu();
        this.facts = found.facts();
        this.before = found.before();
        this.arrival = new TargetSettings.Arrival(process, qemu, before);
        this.exports = new DiskExports(qemu, process.pid(), process.sockets());
    }

    static QemuIncoming open(QemuProcess process, GuestSetup setup, Ending ending)
            throws GuestException {
        QemuControl qemu = process.connect();
        boolean opened = false;
        try {
            QemuFacts facts = QemuProbe.read(qemu);
            Objection.refuse(QemuInspector.target(qemu, facts));
            QemuIncoming incoming = new QemuIncoming(process, ending, setup.room(),
                    new Found(qemu, facts, TargetSettings.of(qemu)));
            // Said now rather than to a source that has come.
            SavedDevices.requireWritable(qemu, process.sockets(), process.pid());
            incoming.find(facts.memory());
            if (setup.prealloc()) {
                incoming.populate();
            }
            opened = true;
            return incoming;
        } catch (QmpException e) {
            throw QemuFailure.of(e);
        } finally {
            if (!opened) {
                qemu.close();
            }
        }
    }

    @Override
    public void streamsOver(StreamLink ofSource) {
        link = ofSource;
    }

    @Override
    public long features() {
        return link == null ? 0 : Message.FEATURE_STORAGE;
    }

    @Override
    public void requireFits(GuestDescription offered) throws GuestException {
        if (!offered.kind().equals(QemuKind.SCHEME)) {
            throw mismatch("a " + offered.kind() + " guest cannot become a QEMU guest",
                    "receive it as " + offered.kind() + ": or image:");
        }
        lookAgain();
        Map<String, String> here = facts.asMap();
        here.putAll(DiskFiles.attributes(process.pid(), facts.drives()));
        List<QemuFacts.Difference> differences =
                QemuFacts.compare(memoryOf(offered).attributes(), here);
        if (!differences.isEmpty()) {
            QemuFacts.Difference first = differences.getFirst();
            throw mismatch(first.what() + " is " + first.source() + " at the source and "
                    + first.target() + " at the target" + (differences.size() == 1 ? ""
                    : " (and " + (differences.size() - 1) + " more differences)"),
                    first.remedy());
        }
        DiskFiles.requireOthers(offered.attributes(), here);
        QemuMemory memory = find(memoryOf(offered).backends());
        memory.requireFits(memoryOf(offered).attributes());
        requireFirmware(offered, memory);
        try (RegionMemory now = memory.map(true)) {
            memory.requireRoom(room, offered.dataBytes(), now);
        }
        fit = new Fit(offered, memory);
    }

    @Override
    public PageStore prepare(GuestDescription offered) throws GuestException {
        requireFitsStill(offered);
        release();
        arrival.form(DeviceSaver.isFormOf(offered));
        regions = fit.memory().map(true);
        fit.memory().requireRoom(room, offered.dataBytes(), regions);
        fit = null;
        access = Optional.of(regions.access().label());
        openStorage(offered);
        return regions;
    }

    /**
     * What comes or goes by another monitor before the first page may do so after it too, and
     * QEMU's load tells: so a source does not wait for the same answers twice.
     */
    private void requireFitsStill(GuestDescription offered) throws GuestException {
        try {
            if (fit != null && fit.offered() == offered) {
                Objection.refuse(QemuInspector.waiting(qemu));
            } else {
                requireFits(offered);
            }
        } catch (QmpException e) {
            throw QemuFailure.of(e);
        }
    }

    /** It may have waited for days, with monitors of its own. */
    private void lookAgain() throws GuestException {
        try {
            facts = QemuProbe.read(qemu);
            Objection.refuse(QemuInspector.target(qemu, facts));
        } catch (QmpException e) {
            throw QemuFailure.of(e);
        }
    }

    @Override
    public void stateComes() {
        arrival.arm();
    }

    @Override
    public void loadState(byte[] state) throws GuestException {
        closeStorage();
        try {
            arrival.load(state);
        } catch (IOException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED,
                    "QEMU did not take the device state, its own log says why (are the arguments"
                    + " of both sides equal?): " + e.getMessage(), "");
        }
    }

    @Override
    public void resume() throws GuestException {
        try {
            QemuControl.ContResult result = qemu.cont();
            if (!result.running()) {
                GuestException refused = ContRefusal.of(process, result,
                        "QEMU refused to start the guest");
                if (!result.lockRefused() && ranUnauthorised()) {
                    // It refused us, and obeyed another client before.
                    throw refused;
                }
                // Not one instruction ran by our word; and none shall later either.
                ending.end(qemu);
                throw refused.provablyNeverRan();
            }
            usage = UsageWatch.start(process.pid());
            arrival.arrived();
            // Nothing passes there any more, and whoever is killed from now on leaves nothing.
            process.sockets().delete();
        } catch (QmpException e) {
            throw QemuFailure.of(e, process.pid(), facts.drives());
        }
    }

    @Override
    public boolean ranUnauthorised() {
        for (QmpClient.Event event = qemu.qmp().pollEvent(); event != null;
                event = qemu.qmp().pollEvent()) {
            unauthorised = event.name().equals("RESUME")
                    || unauthorised && !event.name().equals("STOP");
            ranUnauthorised |= unauthorised;
        }
        unauthorised = unauthorised && !hold();
        return ranUnauthorised;
    }

    /** Stops the guest: it is not granted. Returns whether it stands still, else called again. */
    private boolean hold() {
        try {
            qemu.stop();
            return true;
        } catch (QmpException e) {
            return ends();
        }
    }

    private boolean ends() {
        try {
            process.end(null);
            return true;
        } catch (GuestException e) {
            return !process.isAlive();
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
        closeStorage();
        if (!process.isAlive()) {
            return;
        }
        if (arrival.begun()) {
            ending.end(qemu);
        } else {
            arrival.disarm();
        }
    }

    @Override
    public Optional<String> ended() {
        return liveness.beats() ? Optional.empty()
                : Optional.of("QEMU (pid " + process.pid() + ") at the target ended");
    }

    @Override
    public String identity() {
        return process.identity();
    }

    @Override
    public Map<String, String> recoveryAddress() {
        Map<String, String> recoveryAddress = process.recoveryAddress();
        before.putInto(recoveryAddress);
        return recoveryAddress;
    }

    @Override
    public void close() {
        release();
        closeStorage();
        boolean alive = process.isAlive();
        if (arrival.begun() && alive) {
            // A guest that was paused before is here too, and stands still.
            arrival.arrived();
            heard();
        } else if (alive) {
            arrival.disarm();
        }
        qemu.close();
        process.sockets().delete();
        if (!arrival.begun() || !process.isAlive()) {
            ending.closed();
        }
    }

    /** QEMU drops what it has not read yet when a client disconnects. */
    private void heard() {
        try {
            qemu.status();
        } catch (QmpException e) {
            return; // then QEMU can no longer be reached
        }
    }

    /** What could not be moved has to be the same here. */
    private void requireFirmware(GuestDescription offered, QemuMemory memory)
            throws GuestException {
        if (!FirmwareBlocks.areNamed(offered.attributes())) {
            return;
        }
        try {
            FirmwareBlocks.find(process.pid(), qemu, facts.memory(), memory.starts())
                    .requireFits(offered.attributes());
        } catch (QmpException e) {
            throw QemuFailure.of(e);
        }
    }

    private void populate() throws GuestException {
        QemuMemory memory = find(facts.memory());
        regions = memory.map(true);
        memory.requireRoom(room, facts.memoryBytes(), regions);
        try {
            regions.populate();
        } catch (LinuxException e) {
            throw new GuestException(ErrorCode.NO_ROOM, "--prealloc: " + e.getMessage(),
                    "free memory or leave --prealloc out");
        }
    }

    private QemuMemory find(List<QemuFacts.Backend> backends) throws GuestException {
        try {
            return QemuMemory.find(process.pid(), qemu, backends);
        } catch (QmpException e) {
            throw QemuFailure.of(e);
        }
    }

    /** Has the disks filled that the source wants to copy. */
    private void openStorage(GuestDescription offered) throws GuestException {
        try {
            exports.open(offered.attributes());
        } catch (QmpException e) {
            throw QemuFailure.of(e);
        }
        if (exports.count() > 0) {
            tunnel = Tunnel.connecting(link, exports.count(), exports.socket());
        }
    }

    private void closeStorage() {
        if (tunnel != null) {
            tunnel.close();
            tunnel = null;
        }
        exports.close();
    }

    private void release() {
        CloseHelper.close(regions);
        regions = null;
    }

    private OfferedMemory memoryOf(GuestDescription offered) {
        return new OfferedMemory(offered, facts.memory(), DeviceSaver.isFormOf(offered));
    }

    private static GuestException mismatch(String what, String remedy) {
        return new GuestException(ErrorCode.GUEST_MISMATCH, what, remedy);
    }
}
