package io.pageferry.agent.guest.qemu.start;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * The value of an option of QEMU: {@code first,key=value,…} with two commas for one, or JSON. A
 * change leaves the rest as it was written. Strings are {@link RawText}; a key of JSON is a path
 * with points, {@code file.filename}.
 */
public final class OptionValue {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> ON = Set.of("on", "yes", "true", "y");

    /** Null where it is JSON. */
    private final List<Entry> entries;
    private final ObjectNode object;

    /** A key, empty for a first word without one; a value, null for a flag. */
    private record Entry(String key, String value) {
        @Override
        public String toString() {
            String escaped = value == null ? "" : value.replace(",", ",,");
            return key.isEmpty() ? escaped : value == null ? key : key + "=" + escaped;
        }
    }

    private OptionValue(List<Entry> entries, ObjectNode object) {
        this.entries = entries;
        this.object = object;
    }

    public static OptionValue parse(String text) {
        if (text.startsWith("{")) {
            Optional<ObjectNode> object = RawText.decoded(text).flatMap(OptionValue::object);
            if (object.isPresent()) {
                return new OptionValue(null, object.get());
            }
        }
        List<Entry> entries = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            boolean comma = text.charAt(i) == ',';
            if (comma && i + 1 < text.length() && text.charAt(i + 1) == ',') {
                part.append(',');
                i++;
            } else if (comma) {
                entries.add(entry(part.toString(), entries.isEmpty()));
                part.setLength(0);
            } else {
                part.append(text.charAt(i));
            }
        }
        entries.add(entry(part.toString(), entries.isEmpty()));
        return new OptionValue(entries, null);
    }

    private static Entry entry(String part, boolean first) {
        int equals = part.indexOf('=');
        if (equals >= 0) {
            return new Entry(part.substring(0, equals), part.substring(equals + 1));
        }
        return first ? new Entry("", part) : new Entry(part, null);
    }

    private static Optional<ObjectNode> object(String text) {
        try {
            return JSON.readTree(text) instanceof ObjectNode object ? Optional.of(object)
                    : Optional.empty();
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    public static OptionValue of(String first) {
        return new OptionValue(List.of(new Entry("", first)), null);
    }

    public static OptionValue of(ObjectNode object) {
        return new OptionValue(null, object);
    }

    public boolean isJson() {
        return object != null;
    }

    /** The first word, which has no key; empty where there is none. */
    public Optional<String> first() {
        return isJson() || !entries.getFirst().key().isEmpty() ? Optional.empty()
                : Optional.of(entries.getFirst().value());
    }

    /** The last value of a key, as QEMU takes it. */
    public Optional<String> get(String key) {
        return Optional.ofNullable(all().get(key));
    }

    /** Whether a switch is on, as QEMU reads one: also where it stands without a value. */
    public boolean isOn(String key) {
        boolean flag = !isJson() && entries.stream().filter(one -> one.key().equals(key))
                .reduce((before, last) -> last).filter(last -> last.value() == null).isPresent();
        return flag || get(key).filter(ON::contains).isPresent();
    }

    /** A key, or the first word where that stands for it. */
    public Optional<String> get(String key, boolean implied) {
        return get(key).or(() -> implied ? first() : Optional.empty());
    }

    /** Every key with its value; those of JSON as paths, where they are no lists. */
    public Map<String, String> all() {
        Map<String, String> all = new LinkedHashMap<>();
        if (isJson()) {
            collect("", object, all);
            return all;
        }
        for (Entry entry : entries) {
            if (!entry.key().isEmpty() && entry.value() != null) {
                all.put(entry.key(), entry.value());
            }
        }
        return all;
    }

    private static void collect(String prefix, JsonNode node, Map<String, String> all) {
        node.properties().forEach(one -> {
            String key = prefix + one.getKey();
            if (one.getValue().isObject()) {
                collect(key + ".", one.getValue(), all);
            } else if (one.getValue().isValueNode()) {
                all.put(key, RawText.of(one.getValue().asText()));
            }
        });
    }

    /** With another value of a key, at its place or at the end. */
    public OptionValue with(String key, String value) {
        if (isJson()) {
            ObjectNode changed = object.deepCopy();
            String[] path = key.split("\\.");
            ObjectNode at = changed;
            for (int i = 0; i < path.length - 1; i++) {
                at = at.withObject("/" + path[i]);
            }
            at.put(path[path.length - 1], RawText.decoded(value).orElse(value));
            return new OptionValue(null, changed);
        }
        List<Entry> changed = new ArrayList<>(entries);
        boolean there = false;
        for (int i = 0; i < changed.size(); i++) {
            if (changed.get(i).key().equals(key)) {
                changed.set(i, new Entry(key, value));
                there = true;
            }
        }
        if (!there) {
            changed.add(new Entry(key, value));
        }
        return new OptionValue(changed, null);
    }

    /** With the value of a key that is there changed. */
    public OptionValue map(String key, UnaryOperator<String> change) {
        return get(key).map(value -> with(key, change.apply(value))).orElse(this);
    }

    public OptionValue withFirst(String value) {
        List<Entry> changed = new ArrayList<>(entries);
        changed.set(0, new Entry("", value));
        return new OptionValue(changed, null);
    }

    public OptionValue without(String key) {
        if (isJson()) {
            ObjectNode changed = object.deepCopy();
            changed.remove(key);
            return new OptionValue(null, changed);
        }
        return new OptionValue(entries.stream().filter(one -> !one.key().equals(key)).toList(),
                null);
    }

    /** Whether nothing is left of it. */
    public boolean isEmpty() {
        return isJson() ? object.isEmpty() : entries.isEmpty();
    }

    @Override
    public String toString() {
        if (isJson()) {
            return RawText.of(object.toString());
        }
        return String.join(",", entries.stream().map(Entry::toString).toList());
    }
}
