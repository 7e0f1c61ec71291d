package io.pageferry.agent.guest.qemu.describe;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.guest.qemu.describe.Draft.Item;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.start.OptionValue;
import io.pageferry.agent.guest.qemu.start.QemuOption;
import io.pageferry.agent.guest.qemu.start.RawText;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Disks and media as they are now: another one in a drive, or none, a disk that was added, an
 * overlay that a snapshot made.
 */
final class Blocks {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> FORMATS =
            Set.of("raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vhdx", "vpc", "luks");
    private static final Set<String> FILES = Set.of("file", "host_device", "host_cdrom");
    private static final Map<String, String> SHORT = Map.of("hda", "ide0-hd0", "hdb", "ide0-hd1",
            "hdc", "ide1-hd0", "hdd", "ide1-hd1", "cdrom", "ide1-cd0", "fda", "floppy0",
            "fdb", "floppy1");
    private static final String FILE = "file";
    private static final String DRIVE = "drive";
    private static final String NODE = "node-name";
    private static final String DRIVER = "driver";
    private static final String CHANGED = "changed since the start";

    private final Draft draft;
    private final QemuControl qemu;
    private final Map<String, JsonNode> byDrive = new LinkedHashMap<>();
    private final Map<String, JsonNode> byDevice = new LinkedHashMap<>();
    private final Map<String, JsonNode> nodes = new LinkedHashMap<>();

    Blocks(Draft draft, QemuControl qemu) throws QmpException {
        this.draft = draft;
        this.qemu = qemu;
        for (JsonNode one : qemu.qmp().execute("query-block")) {
            byDrive.put(one.path("device").asText(), one);
            byDevice.put(one.path("qdev").asText().replaceFirst("^/machine/peripheral/", "")
                    .replaceFirst("/virtio-backend$", ""), one);
        }
        for (JsonNode one : qemu.qmp().execute("query-named-block-nodes")) {
            nodes.put(one.path(NODE).asText(), one);
        }
    }

    /** Makes those of the draft those that are there; its devices are complete by now. */
    void compare() throws QmpException {
        drives();
        for (Item item : draft.all("blockdev").toList()) {
            Optional<String> name = item.option().parts().get(NODE).map(RawText::shown);
            if (name.isPresent() && !nodes.containsKey(name.get())) {
                draft.leaveOut(item, "deleted since the start");
            }
        }
        for (Item item : draft.all("device").toList()) {
            device(item);
        }
    }

    private void drives() {
        Map<String, Integer> counts = new HashMap<>();
        for (Item item : draft.all(DRIVE, "hda", "hdb", "hdc", "hdd", "cdrom", "fda", "fdb")
                .toList()) {
            String name;
            try {
                name = item.option().is(DRIVE) ? name(item.option().parts(), counts)
                        : SHORT.get(item.option().name());
            } catch (NumberFormatException e) {
                draft.cannotTell("which drive -drive " + RawText.shown(item.option().value())
                        + " is: give it an id, and its file= what it holds now");
                continue;
            }
            JsonNode present = byDrive.get(name);
            if (present == null) {
                if (item.option().id().isPresent()) {
                    draft.leaveOut(item, "deleted since the start");
                }
            } else if (item.option().is(DRIVE)) {
                medium(item, present.path("inserted"));
            } else if (!RawText.of(present.at("/inserted/file").asText())
                    .equals(item.option().value())) {
                draft.cannotTell("the medium of -" + item.option().name() + " was changed since"
                        + " the start, and is now " + present.at("/inserted/file").asText("none")
                        + ": write it as -drive");
            }
        }
    }

    /** As drive_new of QEMU names one that has no id (blockdev.c); 0x1 and 01 are numbers too. */
    private static String name(OptionValue parts, Map<String, Integer> counts) {
        Optional<String> id = parts.get("id");
        if (id.isPresent()) {
            return RawText.shown(id.get());
        }
        String type = parts.get("if").orElse("ide");
        int next = counts.getOrDefault(type, 0);
        int index = parts.get("index").map(Integer::decode).orElse(next);
        counts.put(type, index + 1);
        boolean cd = parts.get("media").orElse("").equals("cdrom");
        return type.equals("ide") ? "ide" + index / 2 + (cd ? "-cd" : "-hd") + index % 2
                : type + index;
    }

    private void medium(Item item, JsonNode medium) {
        OptionValue parts = item.option().parts();
        Optional<String> before = parts.get(FILE);
        boolean plain = parts.all().keySet().stream().noneMatch(key -> key.startsWith("file."));
        String now = RawText.of(medium.path(FILE).asText());
        if (medium.isMissingNode()) {
            if (before.isPresent()) {
                item.replace(QemuOption.of(DRIVE, parts.without(FILE).without("format")));
                item.remark("its medium was taken out since the start");
            }
        } else if (plain && !before.orElse("").equals(now)) {
            item.replace(QemuOption.of(DRIVE, parts.with(FILE, now)
                    .with("format", medium.path("drv").asText())));
            item.remark(CHANGED + " from " + before.map(RawText::shown).orElse("no medium"));
        }
    }

    private Set<String> known() {
        Set<String> known = new java.util.HashSet<>();
        draft.all(DRIVE, "blockdev").forEach(item -> {
            item.option().id().map(RawText::shown).ifPresent(known::add);
            item.option().parts().get(NODE).map(RawText::shown).ifPresent(known::add);
        });
        return known;
    }

    /** What a device with an id has in it now, where that is a node. */
    private void device(Item item) throws QmpException {
        OptionValue parts = item.option().parts();
        Optional<String> drive = parts.get(DRIVE).map(RawText::shown);
        Optional<String> id = item.option().id().map(RawText::shown);
        if (id.isEmpty() || !byDevice.containsKey(id.get())) {
            return;
        }
        JsonNode present = byDevice.get(id.get());
        String backEnd = present.path("device").asText();
        if (!backEnd.isEmpty()) {
            if (!known().contains(backEnd)) {
                draft.cannotTell("the drive " + backEnd + " of device " + id.get() + " was added"
                        + " since the start by drive_add: write it as -drive");
            }
            return;
        }
        String node = present.at("/inserted/node-name").asText();
        if (node.isEmpty()) {
            if (drive.isPresent()) {
                item.replace(QemuOption.of("device", parts.without(DRIVE)));
                item.remark("its medium was taken out since the start");
            }
            return;
        }
        String name = node.startsWith("#") ? "medium-" + id.get() : node;
        if (!drive.orElse("").equals(name)) {
            item.replace(QemuOption.of("device", parts.with(DRIVE, RawText.of(name))));
            item.remark("its disk or medium was " + CHANGED);
        }
        if (!known().contains(name)) {
            node(node, name);
        }
    }

    private void node(String node, String name) throws QmpException {
        Optional<ObjectNode> found = tree(node);
        if (found.isEmpty()) {
            draft.cannotTell("the disk " + name + " (" + nodes.get(node).path("drv").asText() + " "
                    + nodes.get(node).path(FILE).asText() + ") was added since the start, and QEMU"
                    + " does not show all of it: write its -blockdev");
            return;
        }
        ObjectNode tree = JsonNodeFactory.instance.objectNode().put(NODE, name);
        tree.setAll(found.get());
        draft.insert(QemuOption.of("blockdev", OptionValue.of(tree)),
                "added since the start", "device");
    }

    /** A node with all below it; empty where QEMU does not show it whole. */
    private Optional<ObjectNode> tree(String name) throws QmpException {
        JsonNode node = nodes.get(name);
        String driver = node.path("drv").asText();
        String file = node.path(FILE).asText();
        if (file.startsWith("json:")) {
            return json(file.substring("json:".length()));
        }
        ObjectNode tree = JsonNodeFactory.instance.objectNode().put(DRIVER, driver)
                .put("read-only", node.path("ro").asBoolean());
        JsonNode cache = node.path("cache");
        if (cache.path("direct").asBoolean() || cache.path("no-flush").asBoolean()) {
            tree.putObject("cache").put("direct", cache.path("direct").asBoolean())
                    .put("no-flush", cache.path("no-flush").asBoolean());
        }
        String zeroes = node.path("detect_zeroes").asText("off");
        if (!zeroes.equals("off")) {
            tree.put("detect-zeroes", zeroes);
        }
        if (FILES.contains(driver)) {
            return Optional.of(tree.put("filename", file));
        }
        Map<String, String> children = children(name);
        Optional<String> below = Optional.ofNullable(children.get(FILE));
        boolean chain = Optional.ofNullable(children.get("backing"))
                .filter(one -> !one.startsWith("#")).isPresent();
        if (!FORMATS.contains(driver) || below.isEmpty() || chain) {
            return Optional.empty();
        }
        if (known().contains(below.get())) {
            return Optional.of(tree.put(FILE, below.get()));
        }
        Optional<ObjectNode> child = tree(below.get());
        child.filter(one -> !below.get().startsWith("#"))
                .ifPresent(one -> one.put(NODE, below.get()));
        return child.map(one -> tree.set(FILE, one));
    }

    private static Optional<ObjectNode> json(String text) {
        try {
            return JSON.readTree(text) instanceof ObjectNode object ? Optional.of(object)
                    : Optional.empty();
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    private Map<String, String> children(String name) throws QmpException {
        JsonNode graph = qemu.qmp().execute("x-debug-query-block-graph");
        Map<Long, String> names = new HashMap<>();
        graph.path("nodes").forEach(one ->
                names.put(one.path("id").asLong(), one.path("name").asText()));
        Map<String, String> children = new HashMap<>();
        graph.path("edges").forEach(edge -> {
            if (name.equals(names.get(edge.path("parent").asLong()))) {
                children.put(edge.path("name").asText(), names.get(edge.path("child").asLong()));
            }
        });
        return children;
    }
}
