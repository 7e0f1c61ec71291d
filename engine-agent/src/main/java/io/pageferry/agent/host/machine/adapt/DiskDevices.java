package io.pageferry.agent.host.machine.adapt;

import io.pageferry.agent.host.machine.Devices;
import io.pageferry.agent.host.machine.StableNames;
import io.pageferry.agent.host.machine.tree.Refusal;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The file systems of one disk, whatever it was called where it came from. */
final class DiskDevices implements Devices {
    private final List<Content> contents;
    private final String root;
    /** The name of this disk in the names of its partitions. */
    private final String disk;

    /**
     * Finds out which disk a system's names mean.
     *
     * @param contents of the disk
     * @param root     UUID of the root file system
     * @param names    of devices that the system has, that of its root first where it has one
     */
    DiskDevices(List<Content> contents, String root, List<String> names) {
        this.contents = contents;
        this.root = root;
        this.disk = names.stream().map(StableNames::partition).filter(one -> one != null)
                .map(StableNames.Partition::disk).findFirst().orElse("");
    }

    @Override
    public String uuid(String node) throws IOException {
        StableNames.Partition named = StableNames.partition(node);
        if (named == null || !named.disk().equals(disk)) {
            throw Refusal.of(node + " is on another disk than the root, and would have"
                    + " another name",
                    "write its UUID there first, or mark its line in fstab with nofail");
        }
        Content content = contents.stream()
                .filter(one -> one.partition().number() == named.number()).findFirst()
                .orElseThrow(() -> Refusal.of(node + " is named, and there is no partition "
                        + named.number(), "mend that line first"));
        if (content.uuid().isEmpty()) {
            throw Refusal.of(node + " is named, and what is on it has no UUID",
                    "mend that line first");
        }
        return content.uuid();
    }

    @Override
    public Set<String> uuids() {
        return contents.stream().map(Content::uuid).collect(Collectors.toSet());
    }

    @Override
    public Map<String, String> cards() {
        return Map.of();
    }

    @Override
    public String root() {
        return root;
    }
}
