package io.pageferry.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.all.AllBench;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All benchmarks in one run, with a launcher that tells figures without measuring any. */
class AllBenchTest {
    private static final String LAUNCHER = "pageferry.launcher";
    private static final String STAND_IN = """
            #!/bin/sh
            if [ "$2" = raw ]; then echo "pageferry: no memory" >&2; exit 3; fi
            while [ "$1" != --chart ]; do shift; done
            echo "<svg/>" > "$2"
            echo '{"name":"x","machine":"2 processors","seed":0,"rows":[{"what":"a|b","value":3.5,\
            "unit":"ms","spread":"3 … 4","ratio":0.5,"against":"the other","verdict":"FAIL"}]}'
            exit 4
            """;

    private static final PrintStream NOWHERE =
            new PrintStream(OutputStream.nullOutputStream());

    private final String before = System.getProperty(LAUNCHER);
    @TempDir
    private Path folder;

    @AfterEach
    void restore() {
        if (before == null) {
            System.clearProperty(LAUNCHER);
        } else {
            System.setProperty(LAUNCHER, before);
        }
    }

    private ObjectNode run(String only, Path out) throws IOException {
        Path launcher = folder.resolve("pageferry");
        Files.writeString(launcher, STAND_IN);
        Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
        System.setProperty(LAUNCHER, launcher.toString());
        return new AllBench().run(Map.of("only", only, "out", out.toString(), "runs", "1"),
                new Output(NOWHERE, NOWHERE, false));
    }

    @Test
    void oneThatFailsIsToldAndTheOthersAreRun() throws Exception {
        Path out = folder.resolve("out");
        ObjectNode result = run("raw,jmh", out);
        assertEquals(2, result.path("rows").size());
        assertEquals("FAIL", result.at("/rows/0/verdict").asText());
        assertTrue(result.at("/rows/0/spread").asText().contains("no memory"));
        assertEquals("FAIL", result.at("/rows/1/verdict").asText(), "a bar was missed");
        String tables = Files.readString(out.resolve("tables.md"));
        assertTrue(tables.contains("FAIL: exit code 3"), tables);
        assertTrue(tables.contains("    ./pageferry bench jmh\n"), tables);
        assertTrue(tables.contains("| a\\|b | 3.5 ms | 3 … 4 | 0.5 of the other | FAIL |"), tables);
        assertTrue(Files.exists(out.resolve("02-jmh.svg")));
        assertEquals(3.5, new ObjectMapper().readTree(out.resolve("02-jmh.json").toFile())
                .at("/rows/0/value").asDouble());
    }

    @Test
    void whatIsThereOrUnknownIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> run("raw", folder));
        assertThrows(IllegalArgumentException.class,
                () -> run("nothing", folder.resolve("out")));
    }
}
