package io.pageferry.agent.host.machine.prepare;

import io.pageferry.agent.host.machine.Devices;
import io.pageferry.agent.host.machine.Fstab;
import io.pageferry.agent.host.machine.InterfaceNames;
import io.pageferry.agent.host.machine.tree.Refusal;
import io.pageferry.agent.host.machine.tree.SystemTree;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Disks and cards of a running system, as udev and sysfs show them. */
public final class LiveDevices implements Devices {
    private static final String BY_UUID = "/dev/disk/by-uuid";
    private static final String NET = "/sys/class/net";
    private static final String ETHERNET = "1";
    private static final String PERMANENT = "0";

    private final SystemTree tree;
    private final Map<String, Path> nodes = new TreeMap<>();
    private final Map<String, String> cards = new TreeMap<>();
    private String root = "";

    private LiveDevices(SystemTree tree) {
        this.tree = tree;
    }

    /**
     * Looks at what is there.
     *
     * @param tree the system that runs, with its {@code /sys} and {@code /dev}
     * @return its disks and cards
     * @throws IOException where they cannot be looked at
     */
    public static LiveDevices of(SystemTree tree) throws IOException {
        LiveDevices devices = new LiveDevices(tree);
        for (String uuid : tree.list(BY_UUID)) {
            devices.nodes.put(uuid, tree.resolve(BY_UUID + "/" + uuid));
        }
        for (String name : tree.list(NET)) {
            devices.addCard(name);
        }
        for (Fstab.Entry entry : Fstab.entries(tree.read(Fstab.PATH).orElse(""))) {
            if (entry.point().equals("/")) {
                devices.root = devices.rootOf(entry.device());
            }
        }
        return devices;
    }

    private String rootOf(String device) throws IOException {
        if (device.startsWith("UUID=")) {
            return device.substring("UUID=".length()).replace("\"", "");
        }
        Path node = device.startsWith("/dev/") ? tree.resolve(device) : null;
        return nodes.entrySet().stream().filter(one -> one.getValue().equals(node))
                .map(Map.Entry::getKey).findFirst().orElse("");
    }

    /** A bond gives its cards its own address, and keeps theirs. */
    private void addCard(String name) throws IOException {
        String folder = NET + "/" + name;
        if (!tree.exists(folder + "/device") || !text(folder + "/type").equals(ETHERNET)) {
            return;
        }
        String bonded = text(folder + "/bonding_slave/perm_hwaddr");
        boolean permanent = text(folder + "/addr_assign_type").equals(PERMANENT);
        if (!bonded.isEmpty() || permanent) {
            InterfaceNames.mac(bonded.isEmpty() ? text(folder + "/address") : bonded)
                    .ifPresent(mac -> cards.put(name, mac));
        }
    }

    /** Files of sysfs say that they have 4096 bytes, and have fewer. */
    private String text(String path) throws IOException {
        return tree.read(path).orElse("").strip();
    }

    @Override
    public String uuid(String node) throws IOException {
        Path wanted = tree.resolve(node);
        return nodes.entrySet().stream().filter(one -> one.getValue().equals(wanted))
                .map(Map.Entry::getKey).findFirst().orElseThrow(() -> Refusal.of(node
                        + " is named, and udev knows no UUID of it", "see blkid " + node
                        + ", and mend that line first, or mark it with nofail"));
    }

    @Override
    public Set<String> uuids() {
        return nodes.keySet();
    }

    @Override
    public Map<String, String> cards() {
        return cards;
    }

    @Override
    public String root() {
        return root;
    }
}
