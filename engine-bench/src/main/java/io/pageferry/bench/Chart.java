package io.pageferry.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A result as horizontal bars in an SVG file: what {@code --chart FILE} writes. */
public final class Chart {
    private static final int ROW = 26;
    private static final int LABEL = 330;
    private static final int BAR = 360;
    private static final int TOP = 44;

    private Chart() {
    }

    /**
     * Draws the rows that have a value, those of one unit against the greatest of that unit.
     *
     * @param options of the benchmark; {@code chart} names the file, without it none is written
     * @param result  to draw
     * @return the result
     * @throws IOException when the file cannot be written
     */
    public static ObjectNode drawn(Map<String, String> options, ObjectNode result)
            throws IOException {
        if (options.containsKey("chart")) {
            Files.writeString(Path.of(options.get("chart")), svg(result));
        }
        return result;
    }

    static String svg(ObjectNode result) {
        List<JsonNode> rows = new ArrayList<>();
        result.path("rows").forEach(row -> {
            if (row.has("value")) {
                rows.add(row);
            }
        });
        StringBuilder svg = new StringBuilder(String.format(Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\""
                        + " font-family=\"sans-serif\" font-size=\"13\">%n"
                        + "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n"
                        + "<text x=\"10\" y=\"20\" font-weight=\"bold\">%s</text>%n",
                LABEL + BAR + 120, TOP + ROW * rows.size() + 10,
                escape(result.path("name").asText() + ": " + result.path("machine").asText())));
        for (int i = 0; i < rows.size(); i++) {
            bar(svg, rows.get(i), TOP + ROW * i, greatest(rows, rows.get(i)));
        }
        return svg.append("</svg>\n").toString();
    }

    private static void bar(StringBuilder svg, JsonNode row, int y, double greatest) {
        double value = row.path("value").asDouble();
        double width = greatest > 0 ? value / greatest * BAR : 0;
        String colour = row.path("verdict").asText().equals("OK") ? "#3b78b4" : "#c0392b";
        svg.append(String.format(Locale.ROOT,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>%n"
                        + "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>%n"
                        + "<text x=\"%.1f\" y=\"%d\">%s</text>%n",
                LABEL - 8, y + 13, escape(row.path("what").asText()), LABEL, y, width, ROW - 8,
                colour, LABEL + width + 6, y + 13,
                escape(row.path("value").asText() + " " + row.path("unit").asText())));
    }

    private static double greatest(List<JsonNode> rows, JsonNode like) {
        return rows.stream()
                .filter(row -> row.path("unit").asText().equals(like.path("unit").asText()))
                .mapToDouble(row -> row.path("value").asDouble()).max().orElse(0);
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
