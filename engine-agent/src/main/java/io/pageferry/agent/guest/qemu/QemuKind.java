package io.pageferry.agent.guest.qemu;

import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.StartDescription;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.guest.qemu.describe.QemuDescription;
import io.pageferry.agent.guest.qemu.disk.QemuFailure;
import io.pageferry.agent.guest.qemu.qmp.MonitorAddress;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QemuWarmUp;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.qmp.RunState;
import io.pageferry.agent.guest.qemu.start.StartedQemu;
import io.pageferry.agent.host.throttle.ThreadThrottle;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code qemu:/path/to/qmp.sock}: a QEMU process, found by its monitor. */
public final class QemuKind implements GuestKind {
    /** Of such guests, also where libvirt has them. */
    public static final String SCHEME = "qemu";

    /** Made by the service loader. */
    public QemuKind() {
    }

    @Override
    public String scheme() {
        return SCHEME;
    }

    @Override
    public void warmUp() throws IOException {
        QemuWarmUp.run();
    }

    @Override
    public SourceGuest openSource(GuestUri uri, GuestSetup setup) throws GuestException {
        QemuProcess process = QemuProcess.find(uri);
        return QemuGuest.open(process, process.connect(), setup);
    }

    @Override
    public TargetGuest openTarget(GuestUri uri, GuestSetup setup) throws GuestException {
        if (setup.start() == null) {
            QemuProcess found = QemuProcess.find(uri);
            return QemuIncoming.open(found, setup, found::end);
        }
        StartedQemu started = StartedQemu.start(setup.start(), Path.of(uri.rest()));
        boolean opened = false;
        try {
            QemuProcess process = QemuProcess.find(uri);
            TargetGuest guest = QemuIncoming.open(process, setup, new QemuIncoming.Ending() {
                @Override
                public void end(QemuControl qemu) throws GuestException {
                    process.end(qemu);
                }

                @Override
                public void closed() {
                    started.end();
                }
            });
            opened = true;
            return guest;
        } finally {
            if (!opened) {
                started.end();
            }
        }
    }

    @Override
    public StartDescription describe(GuestUri uri) throws GuestException {
        QemuProcess process = QemuProcess.find(uri);
        if (!(process.monitor() instanceof MonitorAddress.Socket(Path monitor))) {
            throw new IllegalStateException("a qemu: guest is found by its socket");
        }
        try (QemuControl qemu = process.connect()) {
            return QemuDescription.of(process.pid(), monitor, qemu);
        } catch (QmpException e) {
            throw QemuFailure.of(e);
        }
    }

    @Override
    public Optional<GuestHandle> handle(Map<String, String> recoveryAddress) {
        return Optional.of(new QemuHandle(QemuProcess.of(
                MonitorAddress.Socket.of(recoveryAddress), recoveryAddress), recoveryAddress));
    }

    @Override
    public boolean outlivesAgent() {
        return true;
    }

    @Override
    public List<Finding> inspect(GuestUri uri) throws GuestException {
        QemuProcess process = QemuProcess.find(uri);
        return inspect(process, process.connect());
    }

    /**
     * Looks what can move a guest and what stands in the way. Changes nothing.
     *
     * @param process its QEMU
     * @param monitor of that; it is closed
     * @return one row each
     * @throws GuestException when it cannot be looked at
     */
    public static List<Finding> inspect(QemuProcess process, QemuControl monitor)
            throws GuestException {
        try (QemuControl qemu = monitor) {
            List<Finding> rows = new ArrayList<>(CheckTable.of(process.pid(), qemu));
            if (qemu.status().state() != RunState.INMIGRATE) {
                rows.add(new Finding("throttle", Verdict.OK, throttle(process, qemu), "", ""));
            }
            return rows;
        } catch (QmpException e) {
            throw QemuFailure.of(e);
        }
    }

    private static String throttle(QemuProcess process, QemuControl qemu) {
        try (ThreadThrottle throttle = process.throttle(qemu)) {
            return throttle.name() + ", " + throttle.reason();
        } catch (IOException e) {
            return "none: " + e.getMessage();
        }
    }
}
