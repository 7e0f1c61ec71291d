package io.pageferry.agent.guest.qemu.memory;

import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.Region;
import io.pageferry.core.migration.GuestException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The RAM of a source's guest, as this target sees it. QEMU's own migration finds a backend by its
 * name. Where that is not what moves the state, one backend is the other one, whatever it is
 * called: a plain {@code -m} makes {@code pc.ram}, a file may be {@code ram}.
 *
 * @param offered the guest; nothing in it is trusted
 * @param ours    the backends here
 * @param anyName whether names need not be equal where there is one backend
 */
public record OfferedMemory(GuestDescription offered, List<QemuFacts.Backend> ours,
        boolean anyName) {
    private boolean isRenamed() {
        return anyName && ours.size() == 1 && offered.regions().regions().size() == 1;
    }

    /**
     * Returns what the source says of itself.
     *
     * @return its attributes, with the name that the backend has here
     */
    public Map<String, String> attributes() {
        if (!isRenamed()) {
            return offered.attributes();
        }
        String there = offered.regions().region(0).name();
        String here = ours.getFirst().id();
        Map<String, String> attributes = new TreeMap<>();
        offered.attributes().forEach((key, value) -> {
            boolean named = key.equals(QemuFacts.MEMORY + there)
                    || key.equals(QemuMemory.GUEST_ADDRESS + there);
            attributes.put(named ? key.substring(0, key.length() - there.length()) + here : key,
                    value);
        });
        return attributes;
    }

    /**
     * Returns the backends here in the order of the offered regions.
     *
     * @return one for each
     * @throws GuestException where one is missing
     */
    public List<QemuFacts.Backend> backends() throws GuestException {
        List<QemuFacts.Backend> ordered = new ArrayList<>();
        for (Region region : offered.regions().regions()) {
            ordered.add(ours.stream().filter(one -> one.size() == region.size()
                    && (isRenamed() || one.id().equals(region.name()))).findFirst()
                    .orElseThrow(() -> new GuestException(ErrorCode.GUEST_MISMATCH,
                            "the guest's RAM '" + region.name() + "' of " + region.size()
                            + " bytes is not here", "start the target with as much memory: -m, or"
                            + " -object memory-backend-…,id=" + region.name() + ",size="
                            + region.size())));
        }
        return ordered;
    }
}
