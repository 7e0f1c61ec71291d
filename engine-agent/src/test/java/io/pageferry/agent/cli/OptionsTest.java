package io.pageferry.agent.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.cli.option.MigrateOptions;
import io.pageferry.core.words.Labelled;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** Each option is declared once; what follows from that holds for every one of them. */
class OptionsTest {
    private static final Path TESTS = Path.of("src/test/java");

    /** A value that is not the default of each option of migrate that takes one. */
    private static final Map<String, String> VALUES = Map.ofEntries(
            Map.entry("--max-downtime", "301ms"), Map.entry("--max-rounds", "31"),
            Map.entry("--timeout", "2h"), Map.entry("--on-no-convergence", "abort"),
            Map.entry("--max-switchover", "11s"), Map.entry("--policy", "kvm-classic"),
            Map.entry("--channels", "3"), Map.entry("--codec", "none"),
            Map.entry("--delta-cache", "3MiB"),
            Map.entry("--tracker", "dirty-log"), Map.entry("--verify", "full"),
            Map.entry("--after", "keep"), Map.entry("--settle-window", "31s"),
            Map.entry("--linger", "3s"), Map.entry("--progress", "plain"),
            Map.entry("--reconnect-window", "0s"), Map.entry("--throttle", "auto"),
            Map.entry("--max-stolen", "7%"), Map.entry("--write-quota", "41/10ms"),
            Map.entry("--capture", "/tmp/c"), Map.entry("--slot", "a"),
            Map.entry("--bandwidth", "1Gbit/s"), Map.entry("--bandwidth-switchover", "none"));

    private static Stream<OptionSpec> ofAll() {
        return Main.line().getSubcommands().values().stream()
                .flatMap(command -> command.getCommandSpec().options().stream());
    }

    private static Stream<OptionSpec> ofMigrate() {
        return CommandLine.Model.CommandSpec.forAnnotatedObject(new MigrateOptions()).options()
                .stream().filter(option -> !option.hidden());
    }

    /** What demo is told and does not pass on would be measured with a default instead. */
    @ParameterizedTest
    @MethodSource("ofMigrate")
    void demoPassesOnWhatItIsGiven(OptionSpec option) {
        List<String> given = new ArrayList<>(List.of(option.longestName()));
        if (option.arity().max() > 0) {
            assertTrue(VALUES.containsKey(option.longestName()),
                    () -> "a value for " + option.longestName() + " is missing in this test");
            given.add(VALUES.get(option.longestName()));
        }
        assertEquals(given, passedOn(given));
    }

    @Test
    void demoPassesOnNothingElse() {
        assertEquals(List.of(), passedOn(List.of("--memory", "2GiB", "--json")));
        List<String> all = ofMigrate().map(OptionSpec::longestName).toList();
        assertTrue(all.containsAll(VALUES.keySet()), () -> VALUES.keySet() + " of " + all);
    }

    private static List<String> passedOn(List<String> given) {
        CommandLine line = Main.line();
        List<String> words = new ArrayList<>(List.of("demo"));
        words.addAll(given);
        ParseResult parsed = line.parseArgs(words.toArray(String[]::new)).subcommand();
        return ((MigrateOptions) parsed.commandSpec().mixins().get("options").userObject())
                .arguments();
    }

    /** The words that help names are those that are understood. */
    @Test
    void helpNamesEveryWordOfAChoice() {
        Set<String> seen = new TreeSet<>();
        ofMigrate().filter(option -> Labelled.class.isAssignableFrom(option.type()))
                .forEach(option -> {
                    Set<String> words = Arrays.stream(option.type().getEnumConstants())
                            .map(value -> ((Labelled) value).label()).collect(Collectors.toSet());
                    assertEquals(words, Set.of(option.paramLabel().split("\\|")),
                            option.longestName());
                    seen.add(option.longestName());
                });
        assertEquals(Set.of("--codec", "--on-no-convergence", "--policy", "--progress",
                "--tracker", "--verify"), seen);
    }

    /** An option that nobody tries may do nothing, or something else, and nobody would know. */
    @Test
    void everyOptionIsTried() throws IOException {
        assertEquals(Set.of("--never-tried"),
                untried(Stream.concat(names(), Stream.of("--never-tried"))));
    }

    private static Stream<String> names() {
        return ofAll().flatMap(option -> Arrays.stream(option.names()))
                .filter(name -> name.startsWith("--"));
    }

    private static Set<String> untried(Stream<String> names) throws IOException {
        Set<String> untried = names.collect(Collectors.toCollection(TreeSet::new));
        try (Stream<Path> files = Files.walk(TESTS)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".java")
                    && !path.endsWith("OptionsTest.java")).toList()) {
                Set<String> words = Arrays.stream(Files.readString(file).split("[^\\w-]+"))
                        .collect(Collectors.toSet());
                untried.removeAll(words);
            }
        }
        return untried;
    }
}
