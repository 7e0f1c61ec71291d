package io.pageferry.agent.guest.machine;

import java.util.List;
import java.util.Map;

/**
 * A machine as its source describes it.
 *
 * @param name        its host name; letters, digits, '.', '_' and '-'
 * @param uefi        whether it was started by UEFI; else by a BIOS
 * @param memoryBytes of it
 * @param cpus        that are on
 * @param disks       that are moved, in order
 * @param mounts      what is mounted from disks
 * @param cards       its network cards
 * @param dmi         what its firmware says of it, by the names of sysfs
 */
record Hardware(String name, boolean uefi, long memoryBytes, int cpus, List<Disk> disks,
        List<Mounted> mounts, List<Card> cards, Map<String, String> dmi) {
    /** Most of each list. */
    static final int MOST = 1024;

    /**
     * A disk.
     *
     * @param node  its path at the source
     * @param bytes of it
     */
    record Disk(String node, long bytes) { }

    /**
     * A file system.
     *
     * @param point  where it is mounted
     * @param type   of it
     * @param source what it was mounted from
     */
    record Mounted(String point, String type, String source) { }

    /**
     * A network card.
     *
     * @param name of the interface
     * @param mac  its own address, lower case
     */
    record Card(String name, String mac) { }

    /** Takes them as they are now. */
    Hardware {
        disks = List.copyOf(disks);
        mounts = List.copyOf(mounts);
        cards = List.copyOf(cards);
        dmi = Map.copyOf(dmi);
    }
}
