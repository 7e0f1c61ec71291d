package io.pageferry.agent.guest.qemu.check;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.qmp.QmpException.Kind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * Reads the {@link QemuFacts} of a machine: about 30 short questions, 30 to 60 ms in all, and no
 * change. Tried with QEMU 7.2; a question that a version does not know leaves its fact empty.
 *
 * <p>Traps: a plain {@code -m} shows as a backend {@code pc.ram} with share off; memfd backends
 * have no mem-path; query-pci lists no device behind a bridge that the firmware has not yet set
 * up, so devices are read from QOM; an unnamed device has a number that depends on the order of
 * the command line only.
 */
public final class QemuProbe {
    private static final long SMALL_PAGE = 4096;
    /** Begins the type of what holds a firmware and its variables (-drive if=pflash). */
    private static final String FLASH = "cfi.pflash";
    private static final String PERIPHERAL = "/machine/peripheral";

    private QemuProbe() {
    }

    /** All facts; the machine may run, be paused or wait for its state. */
    public static QemuFacts read(QemuControl qemu) throws QmpException {
        List<RamBlock> blocks = RamBlock.of(qemu);
        List<QemuFacts.Backend> memory = memory(qemu, blocks);
        SortedMap<String, Long> others = new TreeMap<>();
        blocks.stream().filter(block -> memory.stream().noneMatch(one -> block.isOf(one.id())))
                .forEach(block -> others.put(block.name(), block.total()));
        JsonNode cpus = qemu.qmp().execute("query-cpus-fast");
        SortedMap<String, String> devices = new TreeMap<>();
        SortedMap<String, String> layout = layout(qemu, cpus);
        devices(qemu, devices, layout);
        board(qemu, layout);
        layout.put("user-networks", Long.toString(qemu.human("info network").lines()
                .filter(line -> line.contains(",type=user,")).count()));
        String firstCpu = cpus.path(0).path("qom-path").asText();
        return new QemuFacts(
                qemu.qmp().execute("query-name").path("name").asText(""),
                qemu.qmp().version().toString(),
                qemu.property("/machine", "type").asText("").replaceFirst("-machine$", ""),
                optional(qemu, "query-kvm").path("enabled").asBoolean() ? "kvm" : "tcg",
                qemu.property(firstCpu, "type").asText(""),
                digest(qemu.property(firstCpu, "feature-words")),
                cpus.size(), memory, devices, layout, others, drives(qemu));
    }

    private static JsonNode optional(QemuControl qemu, String command) throws QmpException {
        try {
            return qemu.qmp().execute(command);
        } catch (QmpException e) {
            if (e.kind() != Kind.REFUSED) {
                throw e;
            }
            return JsonNodeFactory.instance.missingNode();
        }
    }

    private static List<QemuFacts.Backend> memory(QemuControl qemu, List<RamBlock> blocks)
            throws QmpException {
        List<QemuFacts.Backend> memory = new ArrayList<>();
        for (JsonNode one : qemu.qmp().execute("query-memdev")) {
            String id = one.path("id").asText("");
            String path = "/objects/" + id;
            memory.add(new QemuFacts.Backend(id, qemu.property(path, "type").asText(""),
                    one.path("size").asLong(), qemu.property(path, "share").asBoolean(),
                    qemu.property(path, "mem-path").asText(""),
                    blocks.stream().filter(block -> block.isOf(id)).findFirst()
                            .map(RamBlock::pageSize).orElse(SMALL_PAGE)));
        }
        // QEMU lists the last one first.
        return memory.reversed();
    }

    /** How vCPUs are arranged: what the guest reads of it must stay true. */
    private static SortedMap<String, String> layout(QemuControl qemu, JsonNode cpus)
            throws QmpException {
        SortedMap<String, String> layout = new TreeMap<>();
        JsonNode smp = qemu.property("/machine", "smp");
        if (smp.has("cpus")) {
            StringBuilder text = new StringBuilder(smp.path("cpus").asText());
            for (String part : List.of("maxcpus", "sockets", "dies", "cores", "threads")) {
                text.append(smp.has(part) ? "," + part + "=" + smp.path(part).asText() : "");
            }
            layout.put("smp", text.toString());
        }
        SortedMap<Long, String> nodes = new TreeMap<>();
        for (JsonNode cpu : cpus) {
            JsonNode node = cpu.path("props").path("node-id");
            if (!node.isMissingNode()) {
                nodes.put(cpu.path("cpu-index").asLong(), node.asText());
            }
        }
        if (!nodes.isEmpty()) {
            layout.put("numa", "nodes of vCPUs " + String.join(",", nodes.values()));
        }
        return layout;
    }

    private static void devices(QemuControl qemu, Map<String, String> devices,
            Map<String, String> layout) throws QmpException {
        for (String folder : List.of("peripheral", "peripheral-anon")) {
            String path = "/machine/" + folder;
            for (Map.Entry<String, String> one : children(qemu, path).entrySet()) {
                // device[0] of the unnamed ones; '#' cannot be part of a given id.
                String id = (folder.equals("peripheral") ? "" : "#") + one.getKey();
                devices.put(id, one.getValue());
                String device = path + "/" + one.getKey();
                (one.getValue().endsWith("-cpu") ? vcpu(qemu, device) : slot(qemu, device))
                        .ifPresent(slot -> layout.put("slot." + id, slot));
            }
        }
    }

    /** What {@code -serial}, {@code -vga}, {@code -hda} and the machine itself made. */
    private static void board(QemuControl qemu, Map<String, String> layout) throws QmpException {
        SortedMap<String, Integer> numbers = new TreeMap<>();
        children(qemu, "/machine/unattached").forEach((name, type) -> {
            // Beside devices there are interrupts and the like; vCPUs are counted by themselves.
            if (name.startsWith("device[") && !type.endsWith("-cpu")) {
                numbers.merge(type, 1, Integer::sum);
            }
        });
        numbers.forEach((type, number) -> layout.put("board." + type, number.toString()));
    }

    /** Types by name. */
    private static SortedMap<String, String> children(QemuControl qemu, String path)
            throws QmpException {
        SortedMap<String, String> children = new TreeMap<>();
        JsonNode where = JsonNodeFactory.instance.objectNode().put("path", path);
        for (JsonNode one : qemu.qmp().execute("qom-list", where)) {
            String type = one.path("type").asText();
            if (type.startsWith("child<")) {
                children.put(one.path("name").asText(),
                        type.substring("child<".length(), type.length() - 1));
            }
        }
        return children;
    }

    /** Where a PCI device is plugged in: its state is matched by that. */
    private static Optional<String> slot(QemuControl qemu, String device) throws QmpException {
        JsonNode address = qemu.property(device, "addr");
        String bus = qemu.property(device, "parent_bus").asText("");
        if (!address.isInt() || bus.isEmpty()) {
            return Optional.empty();
        }
        int number = address.asInt();
        return Optional.of(bus + " 0x" + Integer.toHexString(number >> 3) + "." + (number & 7));
    }

    /** Where a vCPU is plugged in: QEMU takes none without it. */
    private static Optional<String> vcpu(QemuControl qemu, String device) throws QmpException {
        List<String> where = new ArrayList<>();
        for (String name : List.of("socket-id", "die-id", "core-id", "thread-id")) {
            JsonNode number = qemu.property(device, name);
            if (number.isInt() && number.asInt() >= 0) {
                where.add(name + "=" + number.asInt());
            }
        }
        return where.isEmpty() ? Optional.empty() : Optional.of(String.join(",", where));
    }

    private static List<QemuFacts.Drive> drives(QemuControl qemu) throws QmpException {
        List<QemuFacts.Drive> drives = new ArrayList<>();
        for (JsonNode one : qemu.qmp().execute("query-block")) {
            JsonNode medium = one.path("inserted");
            String device = one.path("device").asText("");
            String qdev = one.path("qdev").asText("");
            String name = device.isEmpty() ? qdev : device;
            drives.add(new QemuFacts.Drive(name,
                    qdev.startsWith(PERIPHERAL) ? place(qdev) : name,
                    medium.path("file").asText(""), medium.path("drv").asText(""),
                    medium.path("image").path("virtual-size").asLong(),
                    medium.path("ro").asBoolean(true),
                    medium.path("cache").path("direct").asBoolean(),
                    isFlash(qemu, qdev)));
        }
        return drives;
    }

    /** The board's own: no command line makes another. */
    private static boolean isFlash(QemuControl qemu, String qdev) throws QmpException {
        return !qdev.isEmpty() && !qdev.startsWith(PERIPHERAL)
                && qemu.property(qdev, "type").asText().startsWith(FLASH);
    }

    /** From {@code /machine/peripheral/blk0/virtio-backend} to {@code blk0}, as of devices. */
    private static String place(String qdev) {
        return qdev.replaceFirst("^/machine/peripheral/", "")
                .replaceFirst("^/machine/peripheral-anon/", "#")
                .replaceFirst("/virtio-backend$", "");
    }

    /**
     * The order of QEMU's words is that of a hash table's, so each is digested by itself. One
     * without a feature counts for nothing: a newer QEMU has more of them, zero in old models.
     */
    static String digest(JsonNode words) {
        long sum = 0;
        for (JsonNode word : words) {
            if (word.path("features").asLong() == 0) {
                continue;
            }
            CRC32C crc = new CRC32C();
            String text = word.path("cpuid-input-eax").asLong() + " "
                    + word.path("cpuid-input-ecx").asLong() + " "
                    + word.path("cpuid-register").asText() + " "
                    + word.path("features").asLong();
            crc.update(text.getBytes(StandardCharsets.UTF_8));
            sum += crc.getValue() * 0x9E3779B97F4A7C15L;
        }
        return words.isEmpty() ? "" : Long.toHexString(sum);
    }
}
