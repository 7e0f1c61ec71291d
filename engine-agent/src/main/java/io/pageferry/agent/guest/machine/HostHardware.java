package io.pageferry.agent.guest.machine;

import io.pageferry.agent.guest.machine.Hardware.Card;
import io.pageferry.agent.guest.machine.Hardware.Disk;
import io.pageferry.agent.guest.machine.Hardware.Mounted;
import io.pageferry.agent.host.linux.block.Mount;
import io.pageferry.agent.host.machine.prepare.LiveDevices;
import io.pageferry.agent.host.machine.tree.SystemTree;
import io.pageferry.core.words.Printable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Reads what hardware a system runs on, from its files in {@code /sys} and {@code /proc}. */
final class HostHardware {
    private static final String MEMORY = "/sys/devices/system/memory";
    private static final String DMI = "/sys/class/dmi/id";
    private static final String TOTAL = "MemTotal:";
    private static final long KIB = 1024;
    private static final long MIB = KIB * KIB;
    /** What firmware and kernel keep for themselves is less, and MemTotal lacks it. */
    private static final long GRAIN = 64 * MIB;
    private static final int SHOWN = 200;

    /** Not the serial numbers: nobody starts a machine by them. */
    private static final List<String> SAID = List.of("sys_vendor", "product_name",
            "product_version", "product_uuid", "board_vendor", "board_name", "bios_vendor",
            "bios_version", "bios_date");

    private final SystemTree tree;

    HostHardware(SystemTree tree) {
        this.tree = tree;
    }

    /**
     * Reads the hardware of a host.
     *
     * @param disks  that are moved
     * @param mounts all of the system
     * @throws IOException where something essential cannot be read
     */
    Hardware read(List<Disk> disks, List<Mount> mounts) throws IOException {
        List<Mounted> mounted = mounts.stream().filter(mount -> mount.source().startsWith("/"))
                .limit(Hardware.MOST).map(mount -> new Mounted(shown(mount.point().toString()),
                        shown(mount.type()), shown(mount.source()))).toList();
        List<Card> cards = LiveDevices.of(tree).cards().entrySet().stream()
                .limit(Hardware.MOST).map(card -> new Card(shown(card.getKey()),
                        card.getValue())).toList();
        return new Hardware(name(), tree.exists("/sys/firmware/efi"), memory(), cpus(), disks,
                mounted, cards, dmi());
    }

    private String name() throws IOException {
        String name = text("/proc/sys/kernel/hostname").replaceAll("[^A-Za-z0-9._-]+", "-")
                .replaceAll("^[-.]+", "");
        return name.isEmpty() ? "machine" : name.substring(0, Math.min(name.length(), 64));
    }

    /** What is plugged in, where the kernel says it; else what it has, rounded up. */
    private long memory() throws IOException {
        String block = text(MEMORY + "/block_size_bytes");
        if (!block.isEmpty()) {
            long blocks = 0;
            for (String name : tree.list(MEMORY)) {
                blocks += name.matches("memory[0-9]+")
                        && text(MEMORY + "/" + name + "/state").equals("online") ? 1 : 0;
            }
            if (blocks > 0) {
                return number(MEMORY, block, 16) * blocks;
            }
        }
        String line = tree.read("/proc/meminfo").stream().flatMap(String::lines)
                .filter(one -> one.startsWith(TOTAL)).findFirst().orElseThrow(
                        () -> new IOException("/proc/meminfo does not say how much memory there"
                                + " is"));
        long bytes = number("/proc/meminfo", line.substring(TOTAL.length()).replace("kB", "")
                .strip(), 10) * KIB;
        return (bytes + GRAIN - 1) / GRAIN * GRAIN;
    }

    private static long number(String where, String text, int radix) throws IOException {
        try {
            return Long.parseLong(text, radix);
        } catch (NumberFormatException e) {
            throw new IOException(where + " has '" + text + "' where a number was expected", e);
        }
    }

    /** Counts a list such as {@code 0-3,8}. */
    private int cpus() throws IOException {
        String online = "/sys/devices/system/cpu/online";
        int count = 0;
        for (String range : text(online).split(",")) {
            String[] ends = range.split("-", 2);
            count += (int) (number(online, ends[ends.length - 1], 10)
                    - number(online, ends[0], 10)) + 1;
        }
        return count;
    }

    private Map<String, String> dmi() throws IOException {
        Map<String, String> said = new TreeMap<>();
        for (String name : SAID) {
            String text = shown(text(DMI + "/" + name));
            if (!text.isEmpty()) {
                said.put(name, text);
            }
        }
        return said;
    }

    private String text(String path) throws IOException {
        return tree.read(path).orElse("").strip();
    }

    /** As the target takes it. */
    private static String shown(String text) {
        String shown = Printable.of(text);
        return shown.substring(0, Math.min(shown.length(), SHOWN));
    }

    /** {@return the size of each disk} */
    static List<Disk> disks(List<Path> nodes, List<Long> bytes) {
        return Stream.iterate(0, i -> i + 1).limit(nodes.size())
                .map(i -> new Disk(shown(nodes.get(i).toString()), bytes.get(i))).toList();
    }
}
