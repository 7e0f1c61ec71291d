package io.pageferry.agent.guest.qemu;

import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
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

    /** Neither delays a guest that runs nor makes a failure of it. */
    void tell(QemuControl qemu) {
        try {
            qemu.arrived(capabilities, announceRounds);
        } catch (QmpException e) {
            // The switches learn it from the guest's own traffic too, only later.
            return;
        }
    }
}
