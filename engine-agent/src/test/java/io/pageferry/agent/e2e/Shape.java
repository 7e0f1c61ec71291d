package io.pageferry.agent.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** What is the same of two JSON trees whose figures differ: names, their order, kinds of values. */
final class Shape {
    private final List<String> lines = new ArrayList<>();

    private Shape() {
    }

    /** One line for each value, in order: its path and its kind. Equal elements of a list once. */
    static List<String> of(JsonNode tree) {
        Shape shape = new Shape();
        shape.add("", tree);
        return shape.lines;
    }

    private void add(String path, JsonNode node) {
        lines.add(path + ": " + node.getNodeType().name().toLowerCase(Locale.ROOT));
        node.properties().forEach(field -> add(path + "/" + field.getKey(), field.getValue()));
        Set<List<String>> elements = new LinkedHashSet<>();
        if (node.isArray()) {
            node.forEach(element -> elements.add(of(element)));
        }
        elements.forEach(element -> element.forEach(line -> lines.add(path + "[]" + line)));
    }

    /** The words and truths of a tree, one a line with its path, but for those named. */
    static List<String> words(JsonNode tree, Set<String> without) {
        List<String> words = new ArrayList<>();
        collect("", tree, without, words);
        return words;
    }

    private static void collect(String path, JsonNode node, Set<String> without,
            List<String> words) {
        if (node.isTextual() || node.isBoolean()) {
            words.add(path + ": " + node.asText());
        }
        node.properties().forEach(field -> {
            if (!without.contains(field.getKey())) {
                collect(path + "/" + field.getKey(), field.getValue(), without, words);
            }
        });
    }
}
