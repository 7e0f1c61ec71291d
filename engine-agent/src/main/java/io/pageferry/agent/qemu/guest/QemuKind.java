package io.pageferry.agent.qemu.guest;

import io.pageferry.agent.guest.GuestHandle;
import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.qemu.Objection;
import io.pageferry.agent.qemu.QemuControl;
import io.pageferry.agent.qemu.QemuFacts;
import io.pageferry.agent.qemu.QemuInspector;
import io.pageferry.agent.qemu.QemuProbe;
import io.pageferry.agent.qemu.QemuRehearsal;
import io.pageferry.agent.qemu.QmpException;
import io.pageferry.agent.qemu.RunState;
import io.pageferry.agent.throttle.ThreadThrottle;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code qemu:/path/to/qmp.sock}: a QEMU process, found by its monitor. */
public final class QemuKind implements GuestKind {
    static final String SCHEME = "qemu";

    /** Made by the service loader. */
    public QemuKind() {
    }

    @Override
    public String scheme() {
        return SCHEME;
    }

    @Override
    public void rehearse() throws IOException {
        QemuRehearsal.run();
    }

    @Override
    public SourceGuest openSource(GuestUri uri, GuestSetup setup) throws GuestException {
        return QemuGuest.open(QemuProcess.find(uri), setup);
    }

    @Override
    public TargetGuest openTarget(GuestUri uri, GuestSetup setup) throws GuestException {
        return QemuIncoming.open(QemuProcess.find(uri), setup);
    }

    @Override
    public Optional<GuestHandle> reach(Map<String, String> reach) {
        return Optional.of(new QemuHandle(reach));
    }

    @Override
    public List<String> inspect(GuestUri uri) throws GuestException {
        QemuProcess process = QemuProcess.find(uri);
        List<String> lines = new ArrayList<>();
        try (QemuControl qemu = process.connect()) {
            QemuFacts facts = QemuProbe.read(qemu);
            lines.add("found: QEMU " + facts.version() + " (pid " + process.pid() + "), "
                    + facts.machine() + ", " + facts.vcpus() + " vCPU, "
                    + (facts.memoryBytes() >> 20) + " MiB");
            boolean waits = qemu.status().state() == RunState.INMIGRATE;
            List<Objection> objections = waits
                    ? QemuInspector.target(qemu, facts) : QemuInspector.source(qemu, facts);
            objections.forEach(objection -> lines.add("refused: " + objection));
            if (!waits) {
                lines.add(throttle(process, qemu));
            }
            if (objections.isEmpty()) {
                lines.add(waits ? "supported as target" : "supported as source");
            }
        } catch (QmpException failed) {
            throw QemuGuest.failure(failed);
        }
        return lines;
    }

    private static String throttle(QemuProcess process, QemuControl qemu) {
        try (ThreadThrottle throttle = process.throttle(qemu)) {
            return "throttle: " + throttle.name() + ", " + throttle.reason();
        } catch (IOException hidden) {
            return "no throttle: " + hidden.getMessage();
        }
    }
}
