package io.pageferry.bench.all;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.LocalDate;

/** Results as tables of Markdown, one for each benchmark. */
final class Tables {
    private final StringBuilder text = new StringBuilder();
    private final String commit;
    private boolean headed;

    /** Begins with nothing but what was measured. */
    Tables(String commit) {
        this.commit = commit;
    }

    /** Adds the rows of a benchmark. */
    void add(String words, ObjectNode result) {
        head(result.path("machine").asText());
        begin(words);
        text.append("| what | median | spread | ratio | verdict |\n|---|---|---|---|---|\n");
        for (JsonNode row : result.path("rows")) {
            text.append("| ").append(cell(row.path("what").asText())).append(" | ")
                    .append(row.has("value") ? row.path("value").asText() + " "
                            + row.path("unit").asText() : "").append(" | ")
                    .append(cell(row.path("spread").asText())).append(" | ")
                    .append(row.has("ratio") ? row.path("ratio").asText() + " of "
                            + cell(row.path("against").asText()) : "").append(" | ")
                    .append(row.path("verdict").asText()).append(" |\n");
        }
    }

    /** Adds a benchmark that gave no figures. */
    void failed(String words, String reason) {
        begin(words);
        text.append("FAIL: ").append(reason).append('\n');
    }

    /** Returns all of it so far. */
    String text() {
        return text.toString();
    }

    private void head(String machine) {
        if (!headed) {
            headed = true;
            text.insert(0, "# Benchmarks of " + commit + ", " + LocalDate.now() + "\n\n" + machine
                    + "\n");
        }
    }

    private void begin(String words) {
        text.append("\n## ").append(words).append("\n\n    ./pageferry bench ").append(words)
                .append("\n\n");
    }

    /** A cell has no bar and no line end. */
    private static String cell(String words) {
        return words.replace("|", "\\|").replace('\n', ' ');
    }
}
