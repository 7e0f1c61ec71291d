package io.pageferry.agent.capture.frame;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** docs/CAPTURE.md lists the rules that there are. */
class RulesDocTest {
    private static final Path DOC = Path.of("..", "docs", "CAPTURE.md");

    @Test
    void everyRuleIsListedWithItsSection() throws IOException {
        List<String> listed = Pattern.compile("(?m)^\\| `([a-z0-9-]+)` \\| (\\d+) \\|")
                .matcher(Files.readString(DOC)).results()
                .map(row -> row.group(1) + " " + row.group(2)).toList();
        assertEquals(Arrays.stream(Rule.values()).map(one -> one.id() + " " + one.section())
                .toList(), listed);
    }
}
