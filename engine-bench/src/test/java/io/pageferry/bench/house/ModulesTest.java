package io.pageferry.bench.house;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What an embedder's module sees: all that the package comments list, and nothing else. Compiled
 * on the module path against what was built.
 */
class ModulesTest {
    private static final List<String> MODULES = List.of("core", "transport", "agent", "bench");
    private static final Pattern LISTED = Pattern.compile("\\{@link (io\\.pageferry[\\w.]+)");
    private static final Pattern OF_A_MODULE_PATH = Pattern.compile(
            ".*/engine-\\w+/target/(classes|engine-[\\w.-]+\\.jar)"
                    + "|.*/(agrona|lz4-java|zstd-jni|hash4j|netty|jackson|picocli|prometheus"
                    + "|jmh-core|jopt|commons)[\\w.-]*\\.jar");
    private static final String EMBEDDER = "module embedder { requires io.pageferry.agent;"
            + " requires io.pageferry.transport; requires io.pageferry.bench; }";

    private static final String EXAMPLES =
            "engine-agent/src/test/java/io/pageferry/agent/embed/";
    private static final List<String> PROGRAM =
            List.of("PlainMemory", "Machine", "ArrivingMachine", "EmbedderProgram");

    @TempDir
    private Path folder;

    /** Types that the package comments name. */
    private static Set<String> listed() {
        Set<String> types = new TreeSet<>();
        for (String module : MODULES) {
            String path = "engine-" + module + "/src/main/java/io/pageferry/" + module
                    + "/package-info.java";
            Matcher found = LISTED.matcher(Repository.read(Repository.root().resolve(path)));
            while (found.find()) {
                types.add(found.group(1));
            }
        }
        return types;
    }

    /** Every public type of its own file. */
    private static Set<String> publicTypes() {
        return Repository.sources().stream().filter(Source::isMain)
                .filter(source -> source.code().contains("public")
                        && Pattern.compile("(?m)^public [\\w -]*(class|interface|enum|record) "
                        + source.typeName() + "\\b").matcher(source.code()).find())
                .map(source -> source.packageName() + "." + source.typeName())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void seesAllThatIsListed() {
        Set<String> listed = listed();

        assertTrue(listed.size() > 40, listed.toString());
        assertEquals(Set.of(), refused(listed), "listed, but not to be named");
    }

    @Test
    void seesNothingElse() {
        Set<String> others = publicTypes();
        others.removeAll(listed());

        assertTrue(others.contains("io.pageferry.core.outgoing.SourceMigration"),
                others.toString());
        Set<String> seen = new TreeSet<>(others);
        seen.removeAll(refused(others));
        assertEquals(Set.of(), seen, "to be named, but not listed");
    }

    @Test
    void servicesAreTheSameOnClassPathAndModulePath() throws IOException {
        for (String module : MODULES) {
            Path main = Repository.root().resolve("engine-" + module + "/src/main");
            assertEquals(onClassPath(main.resolve("resources/META-INF/services")),
                    onModulePath(main.resolve("java/module-info.java")), module);
        }
        assertFalse(onModulePath(Repository.root().resolve(
                "engine-agent/src/main/java/module-info.java")).isEmpty());
    }

    private static Set<String> onClassPath(Path services) throws IOException {
        Set<String> pairs = new TreeSet<>();
        if (Files.isDirectory(services)) {
            try (Stream<Path> files = Files.list(services)) {
                for (Path file : files.toList()) {
                    Files.readAllLines(file).stream().filter(line -> !line.isBlank())
                            .forEach(line -> pairs.add(file.getFileName() + " by " + line.strip()));
                }
            }
        }
        return pairs;
    }

    private static Set<String> onModulePath(Path moduleInfo) {
        Set<String> pairs = new TreeSet<>();
        Matcher found = Pattern.compile("provides\\s+([\\w.]+)\\s+with\\s+([^;]+);")
                .matcher(Source.of("", Repository.read(moduleInfo)).code());
        while (found.find()) {
            for (String provider : found.group(2).split(",")) {
                pairs.add(found.group(1) + " by " + provider.strip());
            }
        }
        return pairs;
    }

    /** The program of {@code NoFlagsTest}, in a module of its own and told nothing. */
    @Test
    void anEmbeddersModuleMovesAGuest() throws Exception {
        List<JavaFileObject> sources = new ArrayList<>();
        sources.add(source("module-info", "module embedder { requires io.pageferry.agent; }"));
        for (String type : PROGRAM) {
            sources.add(source("embedder/" + type, Repository.read(Repository.root().resolve(
                    EXAMPLES + type + ".java")).replaceFirst("package [\\w.]+;",
                    "package embedder; import io.pageferry.agent.embed.*;")));
        }
        Path out = folder.resolve("out");
        assertTrue(ToolProvider.getSystemJavaCompiler().getTask(null, null, null, List.of(
                "-d", folder.resolve("embedder").toString(), "-proc:none",
                "--class-path", folder.toString(), "--module-path", modulePath()), null, sources)
                .call());

        Process process = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-p", modulePath() + File.pathSeparator + folder.resolve("embedder"),
                "-m", "embedder/embedder.EmbedderProgram", folder.resolve("state").toString(),
                "NONE").redirectErrorStream(true).redirectOutput(out.toFile()).start();
        try {
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it does not end");
        } finally {
            process.destroyForcibly();
        }
        assertEquals("target: LZ4 runs without native code, several times slower: this JVM lacks"
                + " --enable-native-access=org.lz4.java\nmoved\n", Files.readString(out));
    }

    /** Compiles an embedder's module that names each type in a class of its own. */
    private Set<String> refused(Set<String> types) {
        List<JavaFileObject> sources = new ArrayList<>();
        sources.add(source("module-info", EMBEDDER));
        List<String> all = List.copyOf(types);
        for (int i = 0; i < all.size(); i++) {
            sources.add(source("embedder/E" + i, "package embedder; final class E" + i
                    + " { Object named = " + all.get(i) + ".class; }"));
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
        compiler.getTask(null, null, found, List.of("-d", folder.toString(),
                "--class-path", folder.toString(), "-proc:none", "-Xmaxerrs", "10000",
                "--module-path", modulePath()), null, sources)
                .call();
        Set<String> refused = new TreeSet<>();
        for (Diagnostic<? extends JavaFileObject> each : found.getDiagnostics()) {
            if (each.getKind() == Diagnostic.Kind.ERROR) {
                assertTrue(each.toString().contains("does not export it"), each.toString());
                refused.add(all.get(Integer.parseInt(
                        each.getSource().getName().replaceAll("\\D", ""))));
            }
        }
        return refused;
    }

    private static String modulePath() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> OF_A_MODULE_PATH.matcher(entry).matches()
                        && !entry.endsWith("-tests.jar"))
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static JavaFileObject source(String name, String text) {
        return new SimpleJavaFileObject(URI.create("string:///" + name + ".java"),
                JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return text;
            }
        };
    }
}
