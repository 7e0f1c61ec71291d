package io.pageferry.agent.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.cli.manual.Manuals;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** What is declared is in the manual and in the completion. */
class ManualsTest {
    private final CommandLine line = Main.line();

    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        Manuals.write(line, folder);
    }

    private static Stream<OptionSpec> shown(CommandLine command) {
        return command.getCommandSpec().options().stream().filter(option -> !option.hidden());
    }

    @Test
    void eachCommandHasAPageWithEachOfItsOptions() throws IOException {
        Set<String> pages = new TreeSet<>(Set.of("pageferry.1"));
        for (Map.Entry<String, CommandLine> command : line.getSubcommands().entrySet()) {
            pages.add("pageferry-" + command.getKey() + ".1");
            String page = Files.readString(
                    folder.resolve("man1/pageferry-" + command.getKey() + ".1"));
            shown(command.getValue()).forEach(option -> assertTrue(page.contains(".TP\n\\fB"
                    + option.names()[0].replace("-", "\\-")), () -> option + " in " + page));
            assertTrue(page.startsWith(".TH PAGEFERRY-"), page);
            assertTrue(page.lines().noneMatch(line -> line.startsWith(".")
                    && !line.matches("\\.(TH|SH|TP|B)\\b.*")), page);
        }
        try (Stream<Path> files = Files.list(folder.resolve("man1"))) {
            assertEquals(pages, files.map(file -> file.getFileName().toString())
                    .collect(Collectors.toCollection(TreeSet::new)));
        }
    }

    @Test
    void theCompletionKnowsEachCommandAndOption() throws IOException {
        holdsAll(Files.readString(folder.resolve("pageferry.bash")));
    }

    @Test
    void soDoesThatOfZsh() throws IOException {
        String script = Files.readString(folder.resolve("_pageferry"));
        holdsAll(script);
        assertTrue(script.startsWith("#compdef pageferry\n"), script);
        assertTrue(script.contains("'--codec=[") && script.contains(":(adaptive none lz4 zstd)'"),
                script);
        assertTrue(script.contains("'*--allow-peer=["), script);
    }

    private void holdsAll(String script) {
        Set<String> words = Stream.of(script.split("[^\\w-]+"))
                .collect(Collectors.toSet());
        line.getSubcommands().forEach((name, command) -> {
            assertTrue(words.contains(name), name);
            shown(command).forEach(option -> assertTrue(words.contains(option.longestName()),
                    () -> name + " " + option.longestName()));
        });
    }

    @Test
    void theSameOptionsGiveTheSamePages() throws IOException {
        Path again = folder.resolve("again");
        Manuals.write(Main.line(), again);
        assertEquals(Files.readString(folder.resolve("pageferry.bash")),
                Files.readString(again.resolve("pageferry.bash")));
        assertEquals(Files.readString(folder.resolve("man1/pageferry-migrate.1")),
                Files.readString(again.resolve("man1/pageferry-migrate.1")));
    }
}
