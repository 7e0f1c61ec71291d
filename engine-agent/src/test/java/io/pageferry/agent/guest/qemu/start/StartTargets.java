package io.pageferry.agent.guest.qemu.start;

import io.pageferry.core.testing.fuzz.FuzzTarget;
import io.pageferry.core.testing.fuzz.FuzzTargets;
import io.pageferry.core.testing.fuzz.TextTarget;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A start file, which a person edits. */
public final class StartTargets implements FuzzTargets {
    @Override
    public List<FuzzTarget> all() {
        return List.of(new TextTarget("start-file", Words.class, Set.of("parse", "next",
                "skipBlanks", "isBlank", "plain", "literal", "escaped", "escape"), Map.of(
                "plain", "# x\n/usr/bin/qemu\n-name vm1\n! y\n",
                "quoted", "/q -drive 'file=/a b,if=none' \"\\\\\\\"\\n\\t\\r\\xfe\"\n",
                "bad", "/q 'a b' \"c\"\n"), StartTargets::parse));
    }

    private static boolean parse(String text) throws IOException {
        StartFile file;
        try {
            file = StartFile.parse(RawText.bytes(text));
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
        byte[] printed = file.print();
        if (!file.equals(StartFile.parse(printed))) {
            throw new AssertionError("another file is read than was printed");
        }
        if (!Arrays.equals(printed, StartFile.parse(printed).print())) {
            throw new AssertionError("another file is printed than was read");
        }
        return !file.arguments().isEmpty();
    }
}
