package io.pageferry.agent.guest.qemu;

import io.pageferry.agent.guest.DiskCopies;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.qemu.check.DrainPlan;
import io.pageferry.agent.guest.qemu.check.Objection;
import io.pageferry.agent.guest.qemu.check.OpenDescriptors;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.check.QemuInspector;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.check.VhostUserDevices;
import io.pageferry.agent.guest.qemu.disk.DiskFiles;
import io.pageferry.agent.guest.qemu.disk.DiskMirrors;
import io.pageferry.agent.guest.qemu.disk.QemuFailure;
import io.pageferry.agent.guest.qemu.memory.MemoryTracking;
import io.pageferry.agent.guest.qemu.memory.QemuMemory;
import io.pageferry.agent.guest.qemu.memory.TrackedBackends;
import io.pageferry.agent.guest.qemu.qmp.DeviceState;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.qmp.SavedDevices;
import io.pageferry.agent.host.memory.RegionMemory;
import io.pageferry.agent.host.process.PausedCheck;
import io.pageferry.agent.host.throttle.ThreadThrottle;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.DrainedTracker;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.StreamLink;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.WriteThrottle;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.agrona.CloseHelper;

/**
 * A running, unmodified QEMU at the source. Nothing in it is changed before the tracker starts.
 * Where its own migration saves its devices, its settings change in the pause, and are put back.
 */
public final class QemuGuest implements SourceGuest {
    private final QemuProcess process;
    private final LivenessProbe liveness;
    private final QemuControl qemu;
    private final QemuFacts facts;
    private final Opened opened;
    private final RegionMemory regions;
    private final MemoryTracking tracking;
    private final Optional<DeviceSaver> devices;
    private final QemuWatch watch;
    private PausedCheck pausedCheck = PausedCheck.none();
    private DiskMirrors mirrors;
    private ThreadThrottle throttle;
    private QemuControl.Settings before;
    private boolean prepared;

    private QemuGuest(QemuProcess process, QemuControl qemu, QemuFacts facts, Opened opened) {
        this.process = process;
        this.liveness = new LivenessProbe(process);
        this.qemu = qemu;
        this.facts = facts;
        this.opened = opened;
        this.regions = opened.regions();
        this.tracking = opened.tracking();
        this.devices = opened.devices();
        this.before = opened.before();
        this.watch = opened.watch();
    }

    private record Opened(Map<String, String> places, QemuMemory ram, RegionMemory regions,
            MemoryTracking tracking, QemuControl.Settings before, QemuWatch watch,
            Optional<DeviceSaver> devices, VhostUserDevices vhostUser, Duration pauseLimit) { }

    /**
     * Opens a guest at the source. Changes nothing in it yet.
     *
     * @param process its QEMU
     * @param qemu    the monitor of that, this guest's to close, also where it is refused
     * @param setup   options of the command line
     * @return the guest
     * @throws GuestException when it cannot be moved, with the remedy
     */
    public static QemuGuest open(QemuProcess process, QemuControl qemu, GuestSetup setup)
            throws GuestException {
        RegionMemory regions = null;
        DrainPlan plan = DrainPlan.none();
        QemuFacts facts = null;
        boolean opened = false;
        try {
            MemoryTracking.require(process.pid(), setup.tracker());
            facts = QemuProbe.read(qemu);
            boolean compares = setup.tracker() == TrackerChoice.SCAN;
            OpenDescriptors open = OpenDescriptors.of(process.pid());
            plan = compares ? plan : DrainPlan.of(open, qemu, setup.pauseLimit());
            boolean alone = SavedDevices.arePossible(qemu, facts.machine());
            Objection.refuse(QemuInspector.source(qemu, facts, plan.drains(), alone), compares);
            Objection.refuse(open.objections(plan.drains(), facts.drives()), compares);
            SavedDevices.requireWritable(qemu, process.sockets(), process.pid());
            QemuMemory memory = QemuMemory.find(process.pid(), qemu, facts.memory());
            VhostUserDevices vhostUser = VhostUserDevices.of(qemu, facts);
            TrackedBackends backends = memory.backends(vhostUser);
            Objection.refuse(backends.objections(), compares);
            regions = memory.map(false);
            Optional<DeviceSaver> devices =
                    DeviceSaver.of(process.pid(), alone, qemu, facts, memory);
            Map<String, String> places = memory.attributes();
            places.putAll(DiskFiles.attributes(process.pid(), facts.drives()));
            places.putAll(process.monitor().attributes());
            devices.ifPresent(saver -> places.putAll(saver.attributes()));
            MemoryTracking tracking = MemoryTracking.of(process.pid(), setup, memory, regions,
                    new MemoryTracking.Writers(backends, plan.drain()));
            QemuGuest guest = new QemuGuest(process, qemu, facts, new Opened(places, memory,
                    regions, tracking, qemu.settings(), QemuWatch.of(qemu), devices, vhostUser,
                    setup.pauseLimit()));
            opened = true;
            return guest;
        } catch (QmpException e) {
            throw QemuFailure.of(e, process.pid(), facts == null ? List.of() : facts.drives());
        } finally {
            if (!opened) {
                CloseHelper.closeAll(plan, qemu, regions);
            }
        }
    }

    @Override
    public GuestDescription describe() {
        Map<String, String> attributes = facts.asMap();
        attributes.putAll(opened.places());
        if (mirrors == null) {
            DiskFiles.forget(attributes);
        } else {
            attributes.putAll(mirrors.attributes());
            QemuFacts.forgetImages(attributes);
        }
        QemuFacts.shorten(attributes, GuestDescription.MAX_ATTRIBUTES);
        return new GuestDescription(QemuKind.SCHEME, facts.name(), regions.regions(),
                regions.dataBytes(), attributes);
    }

    @Override
    public PageSource memory() {
        return regions;
    }

    @Override
    public DirtyTracker tracker() {
        return tracking.tracker();
    }

    @Override
    public String trackerReason() {
        return tracking.reason();
    }

    @Override
    public Optional<DrainedTracker.Costs> drained() {
        return tracking.drained().map(DrainedTracker::costs);
    }

    @Override
    public boolean isRunning() throws GuestException {
        try {
            return qemu.status().running();
        } catch (QmpException e) {
            throw told(e);
        }
    }

    @Override
    public Optional<String> ended() {
        return watch.ended().or(() -> liveness.beats() ? Optional.empty()
                : Optional.of("QEMU (pid " + process.pid() + ") ended"));
    }

    @Override
    public void requireUnchanged() throws GuestException {
        try {
            watch.requireUnchanged(false);
            if (!pausedCheck.isBegun()) {
                // What the pause would end for, and its code is not cold in the pause then.
                pausedCheck = look();
                pausedCheck.await();
            }
            if (!prepared && devices.isEmpty()) {
                before = qemu.settings();
            }
        } catch (GuestException | QmpException e) {
            throw told(e);
        }
        tracking.backends().requireUnchanged();
        devices.ifPresent(saver -> saver.prepare(process.sockets()));
    }

    @Override
    public void requireUnchangedPaused() throws GuestException {
        pausedCheck.await();
        tracking.backends().requireStill(regions.regions());
    }

    @Override
    public boolean resumedExternally() {
        return watch.resumedExternally();
    }

    @Override
    public boolean canCopyStorage() {
        return true;
    }

    @Override
    public void copyStorage(StreamLink link, Bandwidth bandwidth) throws GuestException {
        try {
            process.sockets().make(process.pid());
            mirrors = new DiskMirrors(qemu, link,
                    disk -> process.sockets().socket("disk" + disk), bandwidth);
        } catch (QmpException e) {
            throw told(e);
        }
    }

    @Override
    public Optional<DiskCopies> copied() {
        return Optional.ofNullable(mirrors).map(DiskMirrors::copied);
    }

    @Override
    public long features() {
        return mirrors == null ? 0 : Message.FEATURE_STORAGE;
    }

    @Override
    public boolean storageReady() throws GuestException {
        try {
            return mirrors == null || mirrors.ready();
        } catch (GuestException e) {
            throw told(e);
        }
    }

    @Override
    public void pause() throws GuestException {
        try {
            if (mirrors != null) {
                mirrors.requireClose();
            }
            stop();
            opened.vhostUser().requireIdle(qemu);
            if (mirrors != null) {
                pausedCheck = look();
                mirrors.finish();
                watch.requireUnchanged(true);
            }
            if (tracking.drained().isEmpty()) {
                beginSave(() -> { }); // QEMU may drain no disks once it has given them up
            }
            pausedCheck = mirrors == null ? look() : pausedCheck; // what takes longest was begun
        } catch (GuestException | QmpException e) {
            throw told(e);
        }
    }

    private PausedCheck look() {
        return PausedCheck.start(() -> {
            opened.ram().requireUnchanged(facts.drives(), tracking);
            watch.requireShape();
        });
    }

    private void stop() throws GuestException, QmpException {
        Runnable stopped = mirrors == null ? () -> { } : mirrors.whileStopping();
        try {
            watch.stop(opened.pauseLimit());
        } finally {
            stopped.run();
        }
    }

    @Override
    public void saveState(OutputStream out) throws IOException {
        try {
            if (devices.isPresent()) {
                beginSave(() -> watch.requireUnchanged(true));
                devices.get().finish(out);
                return;
            }
            // Here and not later: a guest that is saved shows another state.
            watch.requireUnchanged(true);
            watch.saves();
            QemuControl.Settings now = qemu.settings();
            before = prepared ? before : now;
            qemu.prepareSource(now);
        } catch (QmpException e) {
            throw told(e);
        }
        prepared = true;
        DeviceState.save(qemu, process.socket("out"), out, DeviceSaver.LIMIT);
    }

    private void beginSave(PausedCheck.Look before) {
        devices.ifPresent(saver -> saver.begin(before, process.sockets(), watch::givesImagesUp));
    }

    @Override
    public void resume() throws GuestException {
        devices.ifPresent(DeviceSaver::settle);
        watch.letsGo();
        try {
            QemuControl.ContResult result = process.goOn(qemu);
            if (!result.running()) {
                // Who holds a disk, or took its file away, may let go of it.
                throw ContRefusal.of(process, result, "QEMU refused to go on").retryable();
            }
            if (devices.isPresent()) {
                devices.get().ran();
            }
        } catch (QmpException e) {
            throw told(e);
        }
        // Its settings stay as they are: over another link there may be another switch-over.
    }

    @Override
    public void end() throws GuestException {
        process.end(qemu);
    }

    @Override
    public Optional<WriteThrottle> throttle() {
        try {
            throttle = throttle == null ? process.throttle(qemu) : throttle;
            return Optional.of(throttle);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    @Override
    public String throttleReason() {
        return throttle.reason();
    }

    @Override
    public Optional<String> throttleTrouble() {
        return throttle == null ? Optional.empty() : throttle.trouble();
    }

    @Override
    public Optional<String> keepWarning() {
        return facts.keepWarning();
    }

    @Override
    public String identity() {
        return process.identity();
    }

    @Override
    public Map<String, String> recoveryAddress() {
        Map<String, String> recoveryAddress = process.recoveryAddress();
        SourceSettings.of(before).putInto(recoveryAddress);
        return recoveryAddress;
    }

    @Override
    public void close() {
        devices.ifPresent(DeviceSaver::settle);
        CloseHelper.closeAll(throttle, tracking.tracker(), mirrors, regions);
        if (process.isAlive()) {
            process.monitor().keepsGuest();
            try {
                // Where nothing was changed it is asked all the same: so it hears what was told.
                qemu.restore(devices.isPresent() ? qemu.settings() : before);
            } catch (QmpException e) {
                // No reason to call a guest that runs a failure, and there is no later attempt.
            }
        }
        qemu.close();
        process.sockets().delete();
    }

    /** A monitor that hangs up is mostly that of a QEMU that ends: then the guest has ended. */
    private GuestException told(IOException e) {
        if ((e instanceof GuestException ? e.getCause() : e) instanceof QmpException qmp
                && qmp.kind() == QmpException.Kind.CLOSED && (watch.ended().isPresent()
                || liveness.ends())) {
            return new GuestException(ErrorCode.GUEST_ENDED, ended().orElseThrow(), "");
        }
        return e instanceof GuestException known ? known
                : QemuFailure.of((QmpException) e, process.pid(), facts.drives());
    }
}
