package io.pageferry.agent.guest.qemu;

import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A source QEMU's migration settings before an agent came, as its journal keeps them: a recovery
 * after a dead agent puts them back.
 *
 * @param capabilities  names of those that were on
 * @param maxBandwidth  bytes per second
 * @param downtimeLimit milliseconds; -1 at a target, where nothing is to be put back
 */
record SourceSettings(Set<String> capabilities, long maxBandwidth, long downtimeLimit) {
    private static final String CAPABILITIES = "capabilities";
    private static final String MAX_BANDWIDTH = "max-bandwidth";
    private static final String DOWNTIME_LIMIT = "downtime-limit";
    private static final long NOTHING = -1;

    static SourceSettings of(QemuControl.Settings settings) {
        Set<String> on = new TreeSet<>();
        settings.capabilities().forEach((name, set) -> {
            if (set) {
                on.add(name);
            }
        });
        return new SourceSettings(on, settings.maxBandwidth(), settings.downtimeLimit());
    }

    /** Reads what {@link #putInto} wrote. */
    static SourceSettings of(Map<String, String> recoveryAddress) {
        if (!recoveryAddress.containsKey(DOWNTIME_LIMIT)) {
            return new SourceSettings(Set.of(), NOTHING, NOTHING);
        }
        String names = recoveryAddress.getOrDefault(CAPABILITIES, "");
        return new SourceSettings(names.isEmpty() ? Set.of() : Set.of(names.split(",")),
                Long.parseLong(recoveryAddress.get(MAX_BANDWIDTH)),
                Long.parseLong(recoveryAddress.get(DOWNTIME_LIMIT)));
    }

    void putInto(Map<String, String> recoveryAddress) {
        recoveryAddress.put(CAPABILITIES, String.join(",", capabilities));
        recoveryAddress.put(MAX_BANDWIDTH, Long.toString(maxBandwidth));
        recoveryAddress.put(DOWNTIME_LIMIT, Long.toString(downtimeLimit));
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
