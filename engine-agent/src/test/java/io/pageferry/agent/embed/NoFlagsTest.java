package io.pageferry.agent.embed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.Sampled;
import io.pageferry.agent.host.linux.Requirements;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An embedder's JVM that was told nothing moves a guest, and says nothing of its own. */
@Sampled
class NoFlagsTest {
    private static final long LIMIT_SECONDS = Requirements.HANG.toSeconds();

    @TempDir
    private Path folder;

    /** How a program ended. */
    private record Ended(int code, String out, String err) { }

    /** As an embedder has it who uses no logger. */
    private static String classPath() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !entry.contains("slf4j"))
                .collect(Collectors.joining(File.pathSeparator));
    }

    private Ended run(List<String> options, String codec) throws Exception {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of("-cp", classPath(), EmbedderProgram.class.getName(),
                folder.resolve("state").toString(), codec));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectOutput(out.toFile()).redirectError(err.toFile());
        // Options from there would be printed by the JVM.
        builder.environment().keySet().removeIf(name -> name.endsWith("JAVA_OPTIONS")
                || name.equals("JAVA_TOOL_OPTIONS"));
        Process process = builder.start();
        try {
            assertTrue(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), "it does not end");
            return new Ended(process.exitValue(), read(out), read(err));
        } finally {
            process.destroyForcibly();
        }
    }

    private static String read(Path file) throws IOException {
        return Files.readString(file);
    }

    @Test
    void movesAndTheJvmSaysNothing() throws Exception {
        assertEquals(new Ended(0, """
                target: LZ4 runs without native code, several times slower: this JVM lacks \
                --enable-native-access=ALL-UNNAMED
                source: LZ4 runs without native code, several times slower: this JVM lacks \
                --enable-native-access=ALL-UNNAMED
                moved
                """, ""), run(List.of(), "LZ4"));
    }

    @Test
    void movesWhereWhatTheJvmOnlyWarnsOfIsForbidden() throws Exception {
        Ended ended = run(List.of("--illegal-native-access=deny",
                "--sun-misc-unsafe-memory-access=deny"), "ADAPTIVE");

        assertEquals(new Ended(0, ended.out(), ""), ended);
        assertTrue(ended.out().endsWith("moved\n"), ended.out());
    }

    @Test
    void withTheOneFlagThereIsNothingToSay() throws Exception {
        assertEquals(new Ended(0, "moved\n", ""),
                run(List.of("--enable-native-access=ALL-UNNAMED"), "LZ4"));
    }
}
