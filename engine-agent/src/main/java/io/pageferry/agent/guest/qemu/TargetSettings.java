package io.pageferry.agent.guest.qemu;

import io.pageferry.agent.guest.qemu.qmp.DeviceState;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.host.process.PausedTask;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A target QEMU's migration settings before an agent came, and what is done with them when its
 * guest runs. Its journal keeps them, for a recovery after a dead agent.
 *
 * @param capabilities   all that it has, and which were on
 * @param announceRounds its own announcements after a load
 */
record TargetSettings(Map<String, Boolean> capabilities, long announceRounds) {
    private static final String PRESENT = "target-capabilities";
    private static final String ON = "target-capabilities-on";
    private static final String ROUNDS = "target-announce-rounds";

    static TargetSettings of(QemuControl qemu) throws QmpException {
        return new TargetSettings(qemu.capabilities(), qemu.announceRounds());
    }

    /** Reads what {@link #putInto} wrote; null at a source. */
    static TargetSettings of(Map<String, String> recoveryAddress) {
        if (!recoveryAddress.containsKey(ROUNDS)) {
            return null;
        }
        Set<String> on = Set.of(recoveryAddress.get(ON).split(","));
        Map<String, Boolean> all = new TreeMap<>();
        for (String name : recoveryAddress.get(PRESENT).split(",")) {
            all.put(name, on.contains(name));
        }
        return new TargetSettings(all, Long.parseLong(recoveryAddress.get(ROUNDS)));
    }

    void putInto(Map<String, String> recoveryAddress) {
        Set<String> on = new TreeSet<>(capabilities.keySet());
        on.removeIf(name -> !capabilities.get(name));
        recoveryAddress.put(PRESENT, String.join(",", capabilities.keySet()));
        recoveryAddress.put(ON, String.join(",", on));
        recoveryAddress.put(ROUNDS, Long.toString(announceRounds));
    }

    /** In a QEMU that waits still. */
    void putBack(QemuControl qemu) throws QmpException {
        DeviceState.disarm(qemu, capabilities, announceRounds);
    }

    /** Neither delays a guest that runs nor makes a failure of it. */
    void tell(QemuControl qemu) {
        try {
            qemu.arrived(capabilities, announceRounds);
        } catch (QmpException e) {
            // The switches learn it from the guest's own traffic too, only later.
            return;
        }
    }

    /**
     * The state on its way into a target QEMU. What can be taken back is said on a thread of its
     * own, beside the last pages of the paused guest: 8 to 14 ms on busy processors. For the rest
     * the proof of all pages is awaited.
     */
    static final class Arrival {
        private static final Duration LIMIT = Duration.ofSeconds(10);
        /** Of the socket. */
        private static final String NAME = "in";

        private final QemuProcess process;
        private final QemuControl qemu;
        private final TargetSettings before;
        private Set<String> wanted = Set.of();
        private PausedTask<Path> arming;
        private boolean begun;
        private boolean told;

        Arrival(QemuProcess process, QemuControl qemu, TargetSettings before) {
            this.process = process;
            this.qemu = qemu;
            this.before = before;
        }

        /** Says how the state is made: {@link DeviceSaver#isFormOf}. */
        void form(boolean devicesAlone) {
            wanted = devicesAlone ? Set.of(QemuControl.LATE_BLOCK_ACTIVATE)
                    : QemuControl.OF_STREAM;
        }

        /** Has QEMU armed, unless that was begun; does not wait for it. */
        void arm() {
            if (arming == null) {
                arming = PausedTask.start("pageferry-arm", () -> {
                    DeviceState.arm(qemu, wanted);
                    return process.sockets().given(NAME, process.pid());
                });
            }
        }

        /** Whether a load was begun: QEMU cannot be left as it was found any more. */
        boolean begun() {
            return begun;
        }

        void load(byte[] state) throws IOException {
            arm();
            begun = true;
            DeviceState.expect(qemu, arming.await(LIMIT));
            DeviceState.load(qemu, process.sockets().take(NAME, process.pid()),
                    ByteBuffer.wrap(state), LIMIT);
        }

        /** What has to follow once the guest runs here; once. */
        void arrived() {
            if (!told) {
                told = true;
                before.tell(qemu);
            }
        }

        /** Leaves a QEMU in which no load was begun as it was found. */
        void disarm() {
            if (begun || arming == null) {
                return;
            }
            try {
                arming.await(LIMIT);
            } catch (IOException e) {
                // What was said nevertheless is taken back all the same.
            }
            arming = null;
            try {
                before.putBack(qemu);
            } catch (QmpException e) {
                // It hangs or ends, and the next agent that comes names what it finds.
                return;
            }
        }
    }
}
