package io.pageferry.agent.guest.qemu.describe;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pageferry.agent.guest.qemu.describe.Draft.Item;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.start.OptionValue;
import io.pageferry.agent.guest.qemu.start.QemuOption;
import io.pageferry.agent.guest.qemu.start.RawText;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Objects, networks and character devices that a QEMU was given or rid of since its start, which
 * devices name. What QEMU does not show of one is said to be untold.
 */
final class BackEnds {
    private static final String SINCE = "added since the start";
    /** A line of {@code info network}, of a network and not of a card. */
    private static final Pattern NETWORK = Pattern.compile(
            "^(?: \\\\ )?([^:\\s]+): index=\\d+,type=(?!nic\\b)([a-z-]+),?(.*)$",
            Pattern.MULTILINE);
    /** What is said of an object; all else of it is as it is by itself. */
    private static final Map<String, List<String>> SAID = Map.of(
            "memory-backend-ram", List.of("size", "share", "prealloc", "dump", "merge"),
            "memory-backend-file", List.of("size", "share", "prealloc", "dump", "merge",
                    "mem-path", "align", "pmem", "readonly"),
            "memory-backend-memfd", List.of("size", "share", "prealloc", "dump", "merge",
                    "hugetlb", "hugetlbsize", "seal"),
            "rng-random", List.of("filename"),
            "rng-builtin", List.of(),
            "iothread", List.of("poll-max-ns", "poll-grow", "poll-shrink"));

    private final Draft draft;
    private final QemuControl qemu;

    BackEnds(Draft draft, QemuControl qemu) {
        this.draft = draft;
        this.qemu = qemu;
    }

    /** Makes those of the draft those that are there; its devices are complete by now. */
    void compare() throws QmpException {
        objects();
        networks();
        characterDevices();
    }

    private Set<String> ids(String... options) {
        return draft.all(options).flatMap(item -> item.option().id().stream())
                .map(RawText::shown).collect(Collectors.toCollection(TreeSet::new));
    }

    private Set<String> named(String key) {
        return draft.all("device").flatMap(item -> item.option().parts().get(key).stream())
                .map(RawText::shown).collect(Collectors.toCollection(TreeSet::new));
    }

    private void objects() throws QmpException {
        Map<String, String> present = new TreeMap<>();
        for (JsonNode one : qemu.qmp().execute("qom-list",
                JsonNodeFactory.instance.objectNode().put("path", "/objects"))) {
            String type = one.path("type").asText();
            if (type.startsWith("child<")) {
                present.put(one.path("name").asText(),
                        type.substring("child<".length(), type.length() - 1));
            }
        }
        for (Item item : draft.all("object").toList()) {
            Optional<String> id = item.option().id().map(RawText::shown);
            if (id.isPresent() && present.remove(id.get()) == null) {
                draft.leaveOut(item, "deleted since the start");
            }
        }
        Set<String> memories = named("memdev");
        for (Map.Entry<String, String> one : present.entrySet()) {
            boolean memory = one.getValue().startsWith("memory-backend-");
            // -m, -mem-path and -numa make some of their own, and a move marks what it saved.
            if ((!memory || memories.contains(one.getKey()))
                    && !one.getKey().startsWith("pageferry-")) {
                add(one.getKey(), one.getValue());
            }
        }
    }

    private void add(String id, String type) throws QmpException {
        List<String> properties = SAID.get(type);
        if (properties == null) {
            draft.cannotTell("the object " + id + " (" + type + ") was added since the start, and"
                    + " QEMU does not show all of it: write its -object");
            return;
        }
        OptionValue object = OptionValue.of(type).with("id", RawText.of(id));
        for (String name : properties) {
            JsonNode value = qemu.property("/objects/" + id, name);
            if (value.isValueNode() && !value.asText().isEmpty()) {
                object = object.with(name, value.isBoolean() ? value.asBoolean() ? "on" : "off"
                        : RawText.of(value.asText()));
            }
        }
        draft.add(QemuOption.of("object", object), SINCE);
    }

    /** A network that -net or -nic made has no name on the command line. */
    private void networks() throws QmpException {
        Map<String, String[]> present = new TreeMap<>();
        Matcher line = NETWORK.matcher(qemu.human("info network").replace("\r", ""));
        while (line.find()) {
            present.put(line.group(1), new String[] {line.group(2), line.group(3)});
        }
        for (Item item : draft.all("netdev").toList()) {
            Optional<String> id = item.option().id().map(RawText::shown);
            if (id.isPresent() && present.remove(id.get()) == null
                    // One with several queues is several, with names of their own.
                    && !named("netdev").contains(id.get())) {
                draft.leaveOut(item, "deleted since the start");
            }
        }
        boolean others = draft.has("net", "nic");
        Set<String> wanted = named("netdev");
        present.forEach((id, words) -> {
            if (wanted.contains(id) || !others && !id.startsWith("#")
                    && !words[0].equals("hubport")) {
                add(id, words[0], words[1]);
            }
        });
    }

    private void add(String id, String type, String words) {
        OptionValue shown = OptionValue.parse("," + words);
        OptionValue network = OptionValue.of(type).with("id", RawText.of(id));
        // Of another network its mask is not shown.
        if (type.equals("user") && shown.get("net").orElse("").equals("10.0.2.0")) {
            network = copy(shown, network, "restrict");
        } else if (type.equals("tap") && shown.get("ifname").isPresent()) {
            network = copy(shown, network, "ifname", "script", "downscript");
        } else {
            draft.cannotTell("the network " + id + " (" + type + ") was added since the start, and"
                    + " QEMU does not show all of it: write its -netdev");
            return;
        }
        draft.add(QemuOption.of("netdev", network), SINCE + (type.equals("user")
                ? "; port forwardings are not shown by QEMU: look whether it had any" : ""));
    }

    private static OptionValue copy(OptionValue from, OptionValue to, String... keys) {
        OptionValue copied = to;
        for (String key : keys) {
            Optional<String> value = from.get(key);
            copied = value.isPresent() ? copied.with(key, value.get()) : copied;
        }
        return copied;
    }

    /** QEMU names those that no -chardev made itself: of -serial, -qmp and their like. */
    private void characterDevices() throws QmpException {
        Set<String> present = new TreeSet<>();
        for (JsonNode one : qemu.qmp().execute("query-chardev")) {
            present.add(one.path("label").asText());
        }
        for (Item item : draft.all("chardev").toList()) {
            Optional<String> id = item.option().id().map(RawText::shown);
            if (id.isPresent() && !present.contains(id.get())) {
                draft.leaveOut(item, "deleted since the start");
            }
        }
        present.removeAll(ids("chardev"));
        Set<String> wanted = named("chardev");
        for (String id : present) {
            if (wanted.contains(id)) {
                draft.cannotTell("the character device " + id + " was added since the start, and"
                        + " QEMU does not show all of it: write its -chardev");
            }
        }
    }
}
