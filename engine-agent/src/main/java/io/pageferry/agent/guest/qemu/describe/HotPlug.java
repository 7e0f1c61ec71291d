package io.pageferry.agent.guest.qemu.describe;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.describe.Draft.Item;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.start.OptionValue;
import io.pageferry.agent.guest.qemu.start.QemuOption;
import io.pageferry.agent.guest.qemu.start.RawText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Compares the devices that a QEMU has with those of its command line: adds what was plugged in
 * since, leaves out what was unplugged, and says where a device is whose place QEMU chose.
 */
final class HotPlug {
    private static final String PERIPHERAL = "/machine/peripheral/";
    private static final String UNNAMED = "#device[";
    private static final String SINCE = "plugged in since the start";
    /** Makes a device without an id, at its place among the others. */
    private static final String SHARED_FOLDER = "virtfs";
    private static final String BUS = "bus";
    private static final String ADDRESS = "addr";
    /** Properties that follow from others, and which a newer QEMU may compute in another way. */
    private static final Set<String> DERIVED = Set.of("heads", "cyls", "secs", "romsize");

    private final Draft draft;
    private final QemuControl qemu;
    private final QemuFacts facts;

    HotPlug(Draft draft, QemuControl qemu, QemuFacts facts) {
        this.draft = draft;
        this.qemu = qemu;
        this.facts = facts;
    }

    /** Makes the devices of the draft those that are there; their back-ends are the others'. */
    void compare() throws QmpException {
        Map<String, String> present = new LinkedHashMap<>(facts.devices());
        boolean moved = false;
        for (Item item : draft.all("device").toList()) {
            Optional<String> id = item.option().id().map(RawText::shown);
            if (id.isPresent() && present.remove(id.get()) == null) {
                draft.leaveOut(item, "unplugged since the start");
                moved = true;
            }
        }
        List<String> unnamed = unnamed();
        present.keySet().removeIf(id -> id.startsWith(UNNAMED));
        int counted = (int) draft.all("device", SHARED_FOLDER)
                .filter(item -> item.option().is(SHARED_FOLDER)
                        || item.option().id().isEmpty()).count();
        int byDrives = (int) draft.all("drive").filter(item -> item.option().parts().get("if")
                .orElse("").equals("virtio")).count();
        if (unnamed.isEmpty() && counted + byDrives == 0) {
            unnamed = List.of();
        } else if (unnamed.size() != counted + byDrives || !isCounted(unnamed)) {
            draft.cannotTell("devices without an id were plugged or unplugged since the start:"
                    + " which of them the command line names cannot be told; at the source "
                    + facts.devices());
            return;
        }
        if (moved || !present.isEmpty()) {
            place(unnamed);
        }
        if (moved) {
            placeOthers(unnamed);
        }
        add(new ArrayList<>(present.keySet()));
    }

    private List<String> unnamed() {
        return facts.devices().keySet().stream().filter(id -> id.startsWith(UNNAMED))
                .sorted((one, other) -> Integer.compare(number(one), number(other))).toList();
    }

    private static int number(String id) {
        return Integer.parseInt(id.replaceAll("\\D", ""));
    }

    private static boolean isCounted(List<String> unnamed) {
        return unnamed.isEmpty() || number(unnamed.getLast()) == unnamed.size() - 1;
    }

    /** Without the ones that went, those that QEMU places by itself would come elsewhere. */
    private void place(List<String> unnamed) {
        int next = 0;
        for (Item item : draft.all("device", SHARED_FOLDER).toList()) {
            if (item.option().is(SHARED_FOLDER)) {
                next++;
                continue;
            }
            OptionValue parts = item.option().parts();
            String id = item.option().id().map(RawText::shown).orElse(null);
            String key = id == null ? unnamed.get(next++) : id;
            String slot = facts.layout().get("slot." + key);
            if (slot != null && parts.get(ADDRESS).isEmpty()) {
                item.replace(QemuOption.of("device", parts.get(BUS).isPresent()
                        ? parts.with(ADDRESS, address(slot))
                        : parts.with(BUS, bus(slot)).with(ADDRESS, address(slot))));
                item.remark("its place is that which QEMU chose at the source");
            }
        }
    }

    /** Of those that take no address, which QEMU makes last: they would take the free places. */
    private void placeOthers(List<String> unnamed) {
        if (draft.has(SHARED_FOLDER)) {
            draft.cannotTell("a device was unplugged since the start, and -virtfs would come to"
                    + " another slot than at the source: write it as -fsdev and -device");
        }
        List<Item> drives = draft.all("drive").filter(item -> item.option().parts().get("if")
                .orElse("").equals("virtio")).toList();
        for (int i = 0; i < drives.size(); i++) {
            OptionValue parts = drives.get(i).option().parts();
            String id = parts.get("id").orElse("virtio" + parts.get("index")
                    .orElse(Integer.toString(i)));
            String slot = facts.layout().get("slot."
                    + unnamed.get(unnamed.size() - drives.size() + i));
            if (slot == null) {
                continue; // a machine without PCI
            }
            drives.get(i).replace(QemuOption.of("drive",
                    parts.without("index").with("if", "none").with("id", id)));
            draft.add(QemuOption.of("device", OptionValue.of("virtio-blk-pci").with("drive", id)
                    .with(BUS, bus(slot)).with(ADDRESS, address(slot))),
                    "of if=virtio: its place is that which QEMU chose at the source");
        }
    }

    /** From {@code /machine/i440fx/pci.0 0x3.0}. */
    private static String bus(String slot) {
        return RawText.of(slot.replaceFirst(" [^ ]*$", "").replaceFirst(".*/", ""));
    }

    private static String address(String slot) {
        return slot.replaceFirst(".* ", "");
    }

    /** A bus comes before what is plugged into it. */
    private void add(List<String> ids) throws QmpException {
        Map<String, String> buses = new TreeMap<>();
        for (String id : ids) {
            buses.put(id, qemu.property(PERIPHERAL + id, "parent_bus").asText(""));
        }
        while (!ids.isEmpty()) {
            String next = ids.stream().filter(id -> ids.stream().noneMatch(
                    other -> !other.equals(id) && buses.get(id).startsWith(PERIPHERAL + other
                            + "/"))).sorted().findFirst().orElseThrow();
            ids.remove(next);
            draft.add(QemuOption.of("device", device(next, buses.get(next))), SINCE);
        }
    }

    private OptionValue device(String id, String parentBus) throws QmpException {
        String type = facts.devices().get(id);
        OptionValue device = OptionValue.of(RawText.of(type)).with("id", RawText.of(id));
        if (type.endsWith("-cpu")) {
            return processor(device, id);
        }
        if (!parentBus.isEmpty()) {
            device = device.with(BUS, RawText.of(parentBus.replaceFirst(".*/", "")));
        }
        JsonNode properties = qemu.qmp().execute("device-list-properties",
                JsonNodeFactory.instance.objectNode().put("typename", type));
        for (JsonNode one : properties) {
            String name = one.path("name").asText();
            Optional<String> value = DERIVED.contains(name) ? Optional.empty()
                    : value(one, qemu.property(PERIPHERAL + id, name));
            if (value.isPresent()) {
                device = device.with(RawText.of(name), RawText.of(value.get()));
            }
        }
        return device;
    }

    /** What has to be said of a property; empty where it is as it would be by itself. */
    static Optional<String> value(JsonNode property, JsonNode value) {
        String name = property.path("name").asText();
        String type = property.path("type").asText();
        if (!value.isValueNode() || value.isNull() || type.startsWith("child<")) {
            return Optional.empty();
        }
        String text = value.isBoolean() ? value.asBoolean() ? "on" : "off" : value.asText();
        if (type.startsWith("link<")) {
            return text.startsWith("/objects/")
                    ? Optional.of(text.substring("/objects/".length())) : Optional.empty();
        }
        if (name.equals(ADDRESS) && type.equals("int32")) {
            int number = value.asInt();
            return Optional.of("0x" + Integer.toHexString(number >> 3) + "." + (number & 7));
        }
        if (property.has("default-value")) {
            return property.path("default-value").equals(value) ? Optional.empty()
                    : Optional.of(text);
        }
        boolean said = name.equals("romfile") || type.equals("str") && !text.isEmpty()
                || name.equals("bootindex") && value.asInt(-1) >= 0;
        return said ? Optional.of(text) : Optional.empty();
    }

    /** Of its hundreds of properties -cpu says all but where it is. */
    private OptionValue processor(OptionValue bare, String id) throws QmpException {
        OptionValue device = bare;
        for (JsonNode one : qemu.qmp().execute("query-hotpluggable-cpus")) {
            if (one.path("qom-path").asText().equals(PERIPHERAL + id)) {
                for (Map.Entry<String, JsonNode> place : one.path("props").properties()) {
                    device = device.with(place.getKey(), place.getValue().asText());
                }
            }
        }
        return device;
    }
}
