package io.pageferry.agent.qemu.guest;

import io.pageferry.agent.qemu.QemuControl;
import io.pageferry.agent.qemu.QmpException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A source QEMU's migration settings before an agent came, as its journal keeps them: whoever
 * finishes for a dead agent puts them back.
 *
 * @param capabilities  names of those that were on
 * @param maxBandwidth  bytes per second
 * @param downtimeLimit milliseconds; -1 at a target, where nothing is to be put back
 */
record QemuBefore(Set<String> capabilities, long maxBandwidth, long downtimeLimit) {
    private static final String CAPABILITIES = "capabilities";
    private static final String MAX_BANDWIDTH = "max-bandwidth";
    private static final String DOWNTIME_LIMIT = "downtime-limit";
    private static final long NOTHING = -1;

    static QemuBefore of(QemuControl.Settings settings) {
        Set<String> on = new TreeSet<>();
        settings.capabilities().forEach((name, set) -> {
            if (set) {
                on.add(name);
            }
        });
        return new QemuBefore(on, settings.maxBandwidth(), settings.downtimeLimit());
    }

    /** Reads what {@link #putInto} wrote. */
    static QemuBefore of(Map<String, String> reach) {
        if (!reach.containsKey(DOWNTIME_LIMIT)) {
            return new QemuBefore(Set.of(), NOTHING, NOTHING);
        }
        String names = reach.getOrDefault(CAPABILITIES, "");
        return new QemuBefore(names.isEmpty() ? Set.of() : Set.of(names.split(",")),
                Long.parseLong(reach.get(MAX_BANDWIDTH)),
                Long.parseLong(reach.get(DOWNTIME_LIMIT)));
    }

    void putInto(Map<String, String> reach) {
        reach.put(CAPABILITIES, String.join(",", capabilities));
        reach.put(MAX_BANDWIDTH, Long.toString(maxBandwidth));
        reach.put(DOWNTIME_LIMIT, Long.toString(downtimeLimit));
    }

    void restore(QemuControl qemu) throws QmpException {
        if (downtimeLimit == NOTHING) {
            return;
        }
        Map<String, Boolean> all = new TreeMap<>(qemu.capabilities());
        all.replaceAll((name, on) -> capabilities.contains(name));
        qemu.restore(new QemuControl.Settings(all, maxBandwidth, downtimeLimit));
    }
}
