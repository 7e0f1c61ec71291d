package io.pageferry.agent.guest.machine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.guest.machine.Hardware.Card;
import io.pageferry.agent.guest.machine.Hardware.Disk;
import io.pageferry.agent.guest.machine.Hardware.Mounted;
import io.pageferry.core.words.Printable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A machine's hardware as bytes: the device state of its move. What comes is a stranger's, so every
 * field is there, of its form and within its limit, and there are no others.
 */
final class HardwareJson {
    static final String SCHEMA = "pageferry.machine/1";

    private static final int MOST_BYTES = 1 << 20;
    private static final int MOST_TEXT = 256;
    private static final long MOST_SIZE = 1L << 60;
    private static final long LEAST_MEMORY = 1 << 20;
    private static final long MOST_MEMORY = 1L << 50;
    private static final int MOST_CPUS = 1024;
    private static final String NAME = "[A-Za-z0-9_][A-Za-z0-9._-]{0,63}";
    /** Of one card, not of a group of them. */
    private static final String MAC = "[0-9a-f][02468ace](:[0-9a-f]{2}){5}";
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

    private HardwareJson() {
    }

    static byte[] write(Hardware machine) throws IOException {
        ObjectNode all = JSON.createObjectNode().put("schema", SCHEMA)
                .put("name", machine.name()).put("firmware", machine.uefi() ? "uefi" : "bios")
                .put("memoryBytes", machine.memoryBytes()).put("cpus", machine.cpus());
        ArrayNode disks = all.putArray("disks");
        machine.disks().forEach(disk -> disks.addObject().put("node", disk.node())
                .put("bytes", disk.bytes()));
        ArrayNode mounts = all.putArray("mounts");
        machine.mounts().forEach(one -> mounts.addObject().put("point", one.point())
                .put("type", one.type()).put("source", one.source()));
        ArrayNode cards = all.putArray("cards");
        machine.cards().forEach(card -> cards.addObject().put("name", card.name())
                .put("mac", card.mac()));
        ObjectNode dmi = all.putObject("dmi");
        new TreeMap<>(machine.dmi()).forEach(dmi::put);
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(all);
    }

    /**
     * Reads what {@link #write} made.
     *
     * @throws IOException in one line, where it is anything else
     */
    static Hardware read(byte[] bytes) throws IOException {
        if (bytes.length > MOST_BYTES) {
            throw new IOException("it has more than " + MOST_BYTES + " bytes");
        }
        Fields all = new Fields("the description", parsed(bytes));
        String schema = all.text("schema");
        if (!schema.equals(SCHEMA)) {
            throw new IOException("its schema is '" + schema + "', and " + SCHEMA
                    + " is known here: use one version on both sides");
        }
        String firmware = all.text("firmware");
        if (!firmware.matches("uefi|bios")) {
            throw new IOException("its firmware is '" + firmware + "'");
        }
        List<Disk> disks = new ArrayList<>();
        for (Fields disk : all.list("disks")) {
            disks.add(new Disk(disk.text("node"), disk.number("bytes", 1, MOST_SIZE)));
            disk.requireNoMore();
        }
        List<Mounted> mounts = new ArrayList<>();
        for (Fields one : all.list("mounts")) {
            mounts.add(new Mounted(one.text("point"), one.text("type"), one.text("source")));
            one.requireNoMore();
        }
        List<Card> cards = new ArrayList<>();
        for (Fields card : all.list("cards")) {
            cards.add(new Card(card.text("name"), card.matching("mac", MAC)));
            card.requireNoMore();
        }
        Hardware machine = new Hardware(all.matching("name", NAME), firmware.equals("uefi"),
                all.number("memoryBytes", LEAST_MEMORY, MOST_MEMORY),
                (int) all.number("cpus", 1, MOST_CPUS), disks, mounts, cards, all.texts("dmi"));
        all.requireNoMore();
        return machine;
    }

    private static JsonNode parsed(byte[] bytes) throws IOException {
        try {
            return JSON.readTree(bytes);
        } catch (JsonProcessingException e) {
            throw new IOException("it is no JSON: " + Printable.of(e.getOriginalMessage()), e);
        }
    }

    /** An object of which each field is asked for once. */
    private static final class Fields {
        private final String what;
        private final JsonNode node;
        private final Set<String> asked = new HashSet<>();

        Fields(String what, JsonNode node) throws IOException {
            if (node == null || !node.isObject()) {
                throw new IOException(what + " is no object");
            }
            this.what = what;
            this.node = node;
        }

        private JsonNode field(String name) throws IOException {
            asked.add(name);
            if (!node.has(name)) {
                throw new IOException(what + " has no '" + name + "'");
            }
            return node.get(name);
        }

        String text(String name) throws IOException {
            return text(name, field(name));
        }

        private String text(String name, JsonNode value) throws IOException {
            String text = value.isTextual() ? value.textValue() : null;
            if (text == null || text.length() > MOST_TEXT || !Printable.of(text).equals(text)) {
                throw new IOException("'" + Printable.of(name) + "' of " + what
                        + " is no printable text of at most " + MOST_TEXT + " characters");
            }
            return text;
        }

        String matching(String name, String form) throws IOException {
            String text = text(name);
            if (!text.matches(form)) {
                throw new IOException("'" + name + "' of " + what + " is '" + text + "'");
            }
            return text;
        }

        long number(String name, long least, long most) throws IOException {
            JsonNode value = field(name);
            if (!value.isIntegralNumber() || !value.canConvertToLong()
                    || value.longValue() < least || value.longValue() > most) {
                throw new IOException("'" + name + "' of " + what + " is no number from " + least
                        + " to " + most);
            }
            return value.longValue();
        }

        List<Fields> list(String name) throws IOException {
            JsonNode value = field(name);
            if (!value.isArray() || value.size() > Hardware.MOST) {
                throw new IOException("'" + name + "' of " + what + " is no list of at most "
                        + Hardware.MOST);
            }
            List<Fields> found = new ArrayList<>();
            for (JsonNode one : value) {
                found.add(new Fields("one of its " + name, one));
            }
            return found;
        }

        Map<String, String> texts(String name) throws IOException {
            Fields inner = new Fields(name, field(name));
            Map<String, String> found = new TreeMap<>();
            for (Map.Entry<String, JsonNode> one : inner.node.properties()) {
                if (!one.getKey().matches("[a-z_]{1,64}") || found.size() == Hardware.MOST) {
                    throw new IOException("'" + Printable.of(one.getKey()) + "' of " + name
                            + " is not known");
                }
                found.put(one.getKey(), inner.text(one.getKey(), one.getValue()));
            }
            return found;
        }

        void requireNoMore() throws IOException {
            Set<String> more = new TreeSet<>();
            node.fieldNames().forEachRemaining(more::add);
            more.removeAll(asked);
            if (!more.isEmpty()) {
                throw new IOException("'" + Printable.of(more.iterator().next()) + "' of " + what
                        + " is not known");
            }
        }
    }
}
