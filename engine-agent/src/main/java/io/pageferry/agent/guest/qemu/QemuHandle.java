package io.pageferry.agent.guest.qemu;

import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.qemu.check.DiskDrain;
import io.pageferry.agent.guest.qemu.disk.DiskExports;
import io.pageferry.agent.guest.qemu.disk.DiskMirrors;
import io.pageferry.agent.guest.qemu.disk.QemuFailure;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.qmp.RunState;
import io.pageferry.agent.guest.qemu.qmp.SavedDevices;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.util.Map;

/** A QEMU whose agent is gone, as a guard or {@code settle} finds it. */
public final class QemuHandle implements GuestHandle {
    private final QemuProcess process;
    private final SourceSettings before;
    private final boolean throttled;
    /** Null at a source. */
    private final TargetSettings arrival;
    private QemuControl qemu;

    /**
     * Makes a handle.
     *
     * @param process         the QEMU, whether it is there or not
     * @param recoveryAddress of the journal that names it
     */
    public QemuHandle(QemuProcess process, Map<String, String> recoveryAddress) {
        this.process = process;
        this.before = SourceSettings.of(recoveryAddress);
        this.arrival = TargetSettings.of(recoveryAddress);
        this.throttled = recoveryAddress.containsKey(GuestKind.THROTTLED);
    }

    @Override
    public Condition condition() throws GuestException {
        if (!process.isAlive()) {
            return Condition.GONE;
        }
        try {
            QemuControl.Status status = control().status();
            if (status.running()) {
                return Condition.RUNNING;
            }
            return status.state() == RunState.INMIGRATE ? Condition.WAITING : Condition.PAUSED;
        } catch (QmpException e) {
            if (!process.isAlive()) {
                return Condition.GONE;
            }
            throw QemuFailure.of(e);
        }
    }

    @Override
    public void unthrottle() throws GuestException {
        if (throttled) {
            process.unthrottle();
        }
    }

    @Override
    public void resume() throws GuestException {
        try {
            QemuControl.ContResult result = process.goOn(control());
            if (!result.running()) {
                // Right after its reader died QEMU may still be ending its own migration.
                GuestException refused = ContRefusal.of(process, result,
                        "QEMU refused to go on").retryable();
                throw result.lockRefused() ? refused.provablyNeverRan() : refused;
            }
            SavedDevices.unmark(control());
            if (arrival != null) {
                arrival.tell(control());
                control().status();
            }
        } catch (QmpException e) {
            throw QemuFailure.of(e);
        }
    }

    @Override
    public void leave() throws GuestException {
        process.monitor().keepsGuest();
        try {
            before.restore(control());
            DiskMirrors.cleanUp(control());
            DiskDrain.cleanUp(control());
        } catch (QmpException e) {
            // While QEMU ends its own migration it refuses to have its settings changed.
            GuestException refused = QemuFailure.of(e);
            throw e.kind() == QmpException.Kind.REFUSED ? refused.retryable() : refused;
        }
    }

    @Override
    public void end() throws GuestException {
        if (!process.isAlive()) {
            process.monitor().ended();
            return;
        }
        QemuControl monitor = null;
        try {
            monitor = control();
        } catch (GuestException e) {
            // It must not run here any more, whether or not it listens.
            monitor = null;
        }
        process.end(monitor);
    }

    @Override
    public void forget() throws GuestException {
        // A waiting QEMU is told nothing that cannot be taken back before its memory is complete.
        try {
            if (process.isAlive()) {
                DiskExports.cleanUp(control());
                if (arrival != null) {
                    arrival.putBack(control());
                }
            }
        } catch (QmpException e) {
            throw QemuFailure.of(e);
        }
        process.sockets().delete();
    }

    @Override
    public void close() {
        if (qemu != null) {
            qemu.close();
        }
        process.sockets().delete();
    }

    private QemuControl control() throws GuestException {
        if (qemu == null) {
            qemu = process.connect();
        }
        return qemu;
    }
}
