package io.pageferry.agent.host.machine;

import io.pageferry.agent.host.machine.tree.Edits;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code /etc/crypttab}: encrypted devices by names that hold on any hardware. */
final class Crypttab {
    private static final String PATH = "/etc/crypttab";

    private Crypttab() {
    }

    /** Has every line name its device by UUID. */
    static void adapt(Edits edits, Devices devices) throws IOException {
        Optional<String> text = edits.read(PATH);
        if (text.isEmpty()) {
            return;
        }
        List<String> lines = new ArrayList<>();
        for (String line : text.get().split("\n", -1)) {
            String[] words = line.strip().split("\\s+");
            lines.add(words[0].startsWith("#") || words.length < 2
                    || !StableNames.isUnstable(words[1]) ? line
                    : line.replace(words[1], StableNames.of(words[1], devices)));
        }
        edits.write(PATH, String.join("\n", lines), "encrypted devices by UUID");
    }
}
