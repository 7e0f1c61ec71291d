package io.pageferry.agent.guest.disk.description;

import io.pageferry.core.words.Labelled;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/**
 * What a machine consists of, as far as both sides have it.
 *
 * @param name        of letters, digits, '.', '_' and '-'
 * @param memoryBytes of it
 * @param cpus        of it
 * @param uefi        whether its firmware is UEFI; else a BIOS
 * @param disks       in order
 * @param cards       network cards, in order
 * @param left        what was in the description and is not here: one line each
 * @param uuid        of its hardware; null where it gets none of its own
 */
public record MachineDescription(String name, long memoryBytes, int cpus, boolean uefi,
        List<Disk> disks, List<Card> cards, List<String> left, UUID uuid) {
    static final long MIB = 1 << 20;

    private static final int MOST_CPUS = 1024;
    private static final long MOST_BYTES = 1L << 50;

    /** What a disk is attached to. */
    public enum Bus implements Labelled {
        /** IDE. */
        IDE,
        /** AHCI. */
        SATA,
        /** LSI's SAS 1068. */
        SAS,
        /** VMware's paravirtual SCSI. */
        PVSCSI,
        /** Virtio-blk. */
        VIRTIO
    }

    /**
     * A disk.
     *
     * @param file   or block device, absolute
     * @param format as {@code disk:} names it
     * @param bus    that it is attached to
     */
    public record Disk(Path file, String format, Bus bus) { }

    /**
     * A network card.
     *
     * @param model e1000, e1000e, vmxnet3 or virtio
     * @param mac   its address; empty where none is given
     */
    public record Card(String model, String mac) { }

    /** Takes lists as they are now. */
    public MachineDescription {
        name = name.replaceAll("[^A-Za-z0-9._-]+", "-").replaceAll("^[-.]+", "");
        name = name.isEmpty() ? "machine" : name.substring(0, Math.min(name.length(), 64));
        disks = List.copyOf(disks);
        cards = List.copyOf(cards);
        left = List.copyOf(left);
    }

    /** Returns what it lacks to be one; empty where nothing is missing. */
    String missing() {
        if (disks.isEmpty()) {
            return "has no disk that can be copied";
        }
        return memoryBytes < MIB || memoryBytes > MOST_BYTES ? "says no size of its memory"
                : cpus < 1 || cpus > MOST_CPUS ? "says no number of processors" : "";
    }

    long memoryMebibytes() {
        return memoryBytes / MIB;
    }

    /**
     * Has other disks in the place of these.
     *
     * @param others as many, in the same order
     * @return the changed copy
     */
    public MachineDescription with(List<Disk> others) {
        return new MachineDescription(name, memoryBytes, cpus, uefi, others, cards, left, uuid);
    }

    /** {@return a script of the shell that starts it in a QEMU, whose arguments are added} */
    public String script() {
        return QemuLine.write(this);
    }

    /** {@return it as a domain of libvirt's} */
    public String domain() {
        return LibvirtFile.write(this);
    }
}
