package io.pageferry.agent.qemu.guest;

import io.pageferry.agent.qemu.QemuControl;
import io.pageferry.agent.qemu.QmpException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A target QEMU's migration settings before an agent came, and what is done with them when its
 * guest runs. Its journal keeps them, for whoever finishes for a dead agent.
 *
 * @param capabilities   all that it has, and which were on
 * @param announceRounds its own announcements after a load
 */
record QemuArrival(Map<String, Boolean> capabilities, long announceRounds) {
    private static final String PRESENT = "target-capabilities";
    private static final String ON = "target-capabilities-on";
    private static final String ROUNDS = "target-announce-rounds";

    static QemuArrival of(QemuControl qemu) throws QmpException {
        return new QemuArrival(qemu.capabilities(), qemu.announceRounds());
    }

    /** Reads what {@link #putInto} wrote; null at a source. */
    static QemuArrival of(Map<String, String> reach) {
        if (!reach.containsKey(ROUNDS)) {
            return null;
        }
        Set<String> on = Set.of(reach.get(ON).split(","));
        Map<String, Boolean> all = new TreeMap<>();
        for (String name : reach.get(PRESENT).split(",")) {
            all.put(name, on.contains(name));
        }
        return new QemuArrival(all, Long.parseLong(reach.get(ROUNDS)));
    }

    void putInto(Map<String, String> reach) {
        Set<String> on = new TreeSet<>(capabilities.keySet());
        on.removeIf(name -> !capabilities.get(name));
        reach.put(PRESENT, String.join(",", capabilities.keySet()));
        reach.put(ON, String.join(",", on));
        reach.put(ROUNDS, Long.toString(announceRounds));
    }

    /** Neither delays a guest that runs nor makes a failure of it. */
    void tell(QemuControl qemu) {
        try {
            qemu.arrived(capabilities, announceRounds);
        } catch (QmpException deaf) {
            // The guest's own traffic tells the switches too, only later.
            return;
        }
    }
}
