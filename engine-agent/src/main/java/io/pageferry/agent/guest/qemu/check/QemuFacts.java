package io.pageferry.agent.guest.qemu.check;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a QEMU machine consists of, as far as two of them must be alike for one's state to fit
 * the other. Read by {@link QemuProbe}; immutable.
 *
 * @param name of {@code -name}, empty without one; may differ
 * @param version QEMU's own, {@code 7.2.22}; a target may be newer
 * @param machine the versioned machine type, {@code pc-i440fx-7.2}: an alias such as {@code pc}
 *     is resolved
 * @param accelerator {@code kvm} or {@code tcg}
 * @param cpu model, {@code qemu64-x86_64-cpu}
 * @param cpuFeatures digest of the CPUID words that the guest sees, empty where QEMU does not
 *     show it: {@code -cpu host} is the same model on two unlike hosts
 * @param vcpus present now
 * @param memory the backends that hold the guest's RAM
 * @param devices type by id of every device of the command line or plugged in later
 * @param layout how vCPUs and devices are arranged, as far as QEMU shows it: {@code smp},
 *     {@code numa}, {@code slot.ID} with the bus and address of a device, {@code board.TYPE} with
 *     the number of devices that no {@code -device} made, {@code user-networks} with the number of
 *     those that QEMU itself is the router of, and whose connections are part of the state
 * @param otherBlocks size in bytes by name of RAM that is part of the device state (ROMs, video
 *     memory); empty where QEMU does not show it
 * @param drives what query-block lists
 */
public record QemuFacts(String name, String version, String machine, String accelerator,
        String cpu, String cpuFeatures, int vcpus, List<Backend> memory,
        SortedMap<String, String> devices, SortedMap<String, String> layout,
        SortedMap<String, Long> otherBlocks, List<Drive> drives) {
    /** Begins the key of a disk's format, which only a disk on shared storage keeps. */
    public static final String FORMAT = "qemu.format.";
    /** Begins the key of a file that holds a disk, likewise. */
    public static final String IMAGE = "qemu.image.";
    /** Begins the key of a backend's size. */
    public static final String MEMORY = "qemu.memory.";
    private static final String USER_NETWORKS = "qemu.user-networks";
    private static final String VERSION = "qemu.version";
    private static final String BOARD = "qemu.board.";
    private static final String DRIVE = "qemu.drive.";
    private static final String WRITABLE = "writable";
    /** Begins the keys of a source whose disks are copied: the target checks them. */
    private static final String COPIED = "storage.";
    private static final String BLOCK = "qemu.block.";
    private static final String SLOT = "qemu.slot.";

    /**
     * One memory backend. A machine's RAM is one backend, however large: with more than 3 GiB
     * a PC shows the rest of it to the guest above 4 GiB, but the file has no gap. NUMA
     * machines have one per node.
     *
     * @param id of {@code -object}; part of the state's stream, so equal on both sides
     * @param type {@code memory-backend-file}, {@code -memfd}, {@code -ram}, or empty
     * @param size bytes
     * @param share whether another process can see it
     * @param path of a file backend (a folder too: QEMU makes a file that it unlinks), else
     *     empty
     * @param pageSize bytes, 4096 or a huge page's
     */
    public record Backend(String id, String type, long size, boolean share, String path,
            long pageSize) {
    }

    /**
     * One disk.
     *
     * @param name QEMU's
     * @param place what distinguishes it on both sides: its device's id where it has a device of
     *     the command line, else its name
     * @param file its image, empty where no medium is in
     * @param format of the image, empty likewise
     * @param size bytes that the guest sees, 0 likewise
     * @param readOnly no lock, no write
     * @param direct opened with O_DIRECT
     * @param carried whether its content is part of the device state, as that of a flash memory:
     *     QEMU writes it into the target's file when the guest goes on there
     */
    public record Drive(String name, String place, String file, String format, long size,
            boolean readOnly, boolean direct, boolean carried) {
        private String describe() {
            return file.isEmpty() ? "empty" : size + " bytes, "
                    + (readOnly ? "read-only" : WRITABLE);
        }
    }

    /**
     * Something in which a target is not like its source.
     *
     * @param what a key of {@link #asMap()}
     * @param source the source's value, {@code none} where it has none
     * @param target the target's value, likewise
     * @param remedy what to change at the target, with the option of QEMU
     */
    public record Difference(String what, String source, String target, String remedy) {
        @Override
        public String toString() {
            return what + " is " + source + " at the source and " + target + " at the target: "
                    + remedy;
        }
    }

    /** Copies the lists. */
    public QemuFacts {
        memory = List.copyOf(memory);
        devices = new TreeMap<>(devices);
        layout = new TreeMap<>(layout);
        otherBlocks = new TreeMap<>(otherBlocks);
        drives = List.copyOf(drives);
    }

    /** Bytes of guest RAM, over all backends. */
    public long memoryBytes() {
        return memory.stream().mapToLong(Backend::size).sum();
    }

    /**
     * What the two sides exchange: keys {@code qemu.version}, {@code qemu.machine},
     * {@code qemu.memory.ID} and so on, in a fixed order; every value is short text.
     */
    public Map<String, String> asMap() {
        Map<String, String> map = new LinkedHashMap<>();
        map.put(VERSION, version);
        map.put("qemu.machine", machine);
        map.put("qemu.accelerator", accelerator);
        map.put("qemu.cpu", cpu);
        map.put("qemu.cpu-features", cpuFeatures);
        map.put("qemu.vcpus", Integer.toString(vcpus));
        for (Backend one : memory) {
            map.put(MEMORY + one.id(), Long.toString(one.size()));
        }
        devices.forEach((id, type) -> map.put("qemu.device." + id, type));
        layout.forEach((what, value) -> map.put("qemu." + what, value));
        otherBlocks.forEach((id, size) -> map.put("qemu.block." + id, Long.toString(size)));
        for (Drive drive : drives) {
            map.put(DRIVE + drive.place(), drive.describe());
            if (!drive.readOnly() && !drive.carried()) {
                map.put(FORMAT + drive.place(), drive.format());
            }
        }
        map.values().removeIf(String::isEmpty);
        return map;
    }

    /**
     * Leaves out which files hold the disks, and how: of images that are to be filled only their
     * sizes have to be equal.
     *
     * @param map of {@link #asMap()}, with other things
     */
    public static void forgetImages(Map<String, String> map) {
        map.keySet().removeIf(key -> key.startsWith(FORMAT) || key.startsWith(IMAGE));
    }

    /**
     * Leaves out of a machine of a hundred devices where and which they are, which QEMU itself
     * compares.
     *
     * @param map  of {@link #asMap()}, with other things
     * @param most entries that are to be left
     */
    public static void shorten(Map<String, String> map, int most) {
        for (String least : List.of("qemu.slot.", BOARD, IMAGE)) {
            if (map.size() > most) {
                map.keySet().removeIf(key -> key.startsWith(least));
            }
        }
    }

    /**
     * Compares two maps of {@link #asMap()}.
     *
     * @param source the source's, possibly sent by a peer: nothing in it is trusted
     * @return empty where the source's state can be loaded by the target, as far as the facts show
     */
    public static List<Difference> compare(Map<String, String> source,
            Map<String, String> target) {
        List<Difference> differences = new ArrayList<>();
        Map<String, String> keys = new TreeMap<>(source);
        target.forEach(keys::putIfAbsent);
        for (String key : keys.keySet()) {
            String here = source.getOrDefault(key, "none");
            String there = target.getOrDefault(key, "none");
            boolean fits = key.equals(VERSION) ? older(here, there) : here.equals(there)
                    // A target with more of them has nothing to load.
                    || key.equals(USER_NETWORKS) && here.equals("0");
            if (key.startsWith("qemu.") && !fits && comparable(key, source, target)) {
                differences.add(new Difference(key, here, there, remedy(key, here, there, source)));
            }
        }
        return differences;
    }

    /** Some versions of QEMU do not show all facts: no value is no difference there. */
    private static boolean comparable(String key, Map<String, String> source,
            Map<String, String> target) {
        if (key.equals("qemu.cpu-features") || key.equals("qemu.smp")
                || key.equals("qemu.numa") || key.equals(USER_NETWORKS)
                || key.startsWith(SLOT) || key.startsWith(FORMAT)
                || key.startsWith(IMAGE)) {
            return source.containsKey(key) && target.containsKey(key);
        }
        if (key.startsWith(BOARD)) {
            // A newer QEMU may build a board from other parts that load the same state.
            return tells(BOARD, source) && tells(BOARD, target)
                    && sameSeries(source.get(VERSION), target.get(VERSION));
        }
        if (key.startsWith(DRIVE) && tells(COPIED, source)) {
            return !source.getOrDefault(key, "").endsWith(WRITABLE);
        }
        return !key.startsWith(BLOCK) || tells(BLOCK, source) && tells(BLOCK, target);
    }

    private static boolean tells(String prefix, Map<String, String> facts) {
        return facts.keySet().stream().anyMatch(key -> key.startsWith(prefix));
    }

    private static boolean sameSeries(String source, String target) {
        return source != null && target != null && older(source, target) && older(target, source);
    }

    /** QEMU keeps the promise of a machine type to newer versions, not to older ones. */
    private static boolean older(String source, String target) {
        try {
            String[] a = source.split("\\.");
            String[] b = target.split("\\.");
            for (int i = 0; i < 2; i++) {
                int difference = Integer.parseInt(a[i]) - Integer.parseInt(b[i]);
                if (difference != 0) {
                    return difference < 0;
                }
            }
            return true;
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            return source.equals(target);
        }
    }

    /** From {@code /machine/i440fx/pci.0 3.0} to options; those of a vCPU are options. */
    private static String slot(String place) {
        if (place.contains("=")) {
            return place;
        }
        String bus = place.replaceFirst(" .*", "").replaceFirst(".*/", "");
        return "bus=" + bus + ",addr=" + place.replaceFirst(".* ", "");
    }

    /** Whether a version comes before another; false where it cannot be read. */
    static boolean olderThan(String version, String other) {
        return older(version, other) && !older(other, version);
    }

    private static String remedy(String key, String source, String target,
            Map<String, String> sources) {
        int dot = key.indexOf('.', "qemu.".length());
        String id = dot < 0 ? "" : key.substring(dot + 1);
        return switch (dot < 0 ? key : key.substring(0, dot)) {
            case "qemu.version" -> "use QEMU " + source + " or newer at the target";
            case "qemu.machine" -> "start the target with -machine " + source;
            case "qemu.accelerator" -> "start the target with -accel " + source;
            case "qemu.cpu" -> "start the target with -cpu " + source.replaceFirst(
                    "-(x86_64|i386|arm|aarch64)-cpu$", "");
            case "qemu.cpu-features" -> "start both with the same named -cpu model and features,"
                    + " not with -cpu host or max";
            case "qemu.vcpus", "qemu.smp" -> "start the target with -smp " + source;
            case "qemu.numa" -> "start the target with the source's -numa node,cpus=";
            case "qemu.slot" -> "start the target with " + slot(source) + " for the -device "
                    + id;
            case "qemu.memory" -> target.equals("none") || !source.equals("none")
                    ? "start the target with as much memory: -m, or -object memory-backend-…,id="
                            + id + ",size=" + source
                    : "leave -object memory-backend-…,id=" + id + " out at the target";
            case "qemu.device" -> source.equals("none")
                    ? "leave -device " + target + " out at the target"
                    : "start the target with -device " + source
                            + (id.startsWith("#") ? "" : ",id=" + id)
                            + sources.getOrDefault(SLOT + id, "").replaceFirst("^[^=]*$", "")
                            .replaceFirst("^(?=.)", ",") + (source.endsWith("-cpu") ? ""
                            : ", with all that the source's has (drive=, netdev=, memdev= …)");
            case "qemu.block" -> "start the target with the same devices, firmware and ROM files"
                    + " (-bios, -device …,romfile=, vgamem_mb=)";
            case "qemu.board" -> "start the target with as many " + id + " as the source (-serial,"
                    + " -parallel, -usb, -vga, -net nic, -drive if=…, -no-hpet and the like)";
            case USER_NETWORKS -> "start the target with as many -netdev user as the source: their"
                    + " connections are part of the state";
            case "qemu.drive", "qemu.format", "qemu.image" -> disk(id, source, target);
            default -> "start the target as pageferry describe says at the source";
        };
    }

    private static String disk(String id, String source, String target) {
        return source.equals("none") ? "leave the disk " + id + " out at the target"
                : target.equals("none") || source.equals("empty") || target.equals("empty")
                ? "start the target with the source's -drive or -blockdev for the disk " + id
                        + ", and with its medium"
                : "name the same image on both sides, on storage that both see; where each side"
                        + " has one of its own, make it as large and use --copy-storage";
    }

    /** {@return what there is to say where this guest is kept at the source after a move} */
    public Optional<String> keepWarning() {
        boolean locked = drives.stream()
                .anyMatch(drive -> !drive.readOnly() && !drive.file().isEmpty());
        return locked ? Optional.empty() : Optional.of("--after keep: this guest writes to no disk,"
                + " so nothing refuses a cont of what is kept: never say it while the guest runs at"
                + " the target");
    }
}
