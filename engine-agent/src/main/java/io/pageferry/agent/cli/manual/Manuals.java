package io.pageferry.agent.cli.manual;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.AutoComplete;
import picocli.CommandLine;

/** Writes what a package has beside the program: a manual page a command, and shell completion. */
public final class Manuals {
    private Manuals() {
    }

    /**
     * Writes {@code man1/pageferry*.1}, {@code pageferry.bash} and {@code _pageferry} (zsh), in
     * place of what is there.
     *
     * @param line   with all its commands
     * @param folder that is made where it is missing
     * @throws IOException when they cannot be written
     */
    public static void write(CommandLine line, Path folder) throws IOException {
        Path pages = Files.createDirectories(folder.resolve("man1"));
        List<CommandLine> all = new ArrayList<>(List.of(line));
        all.addAll(line.getSubcommands().values());
        for (CommandLine one : all) {
            ManualPage page = new ManualPage(one.getCommandSpec());
            Files.writeString(pages.resolve(page.name() + ".1"), page.text());
        }
        Files.writeString(folder.resolve("pageferry.bash"),
                AutoComplete.bash(line.getCommandName(), line));
        Files.writeString(folder.resolve("_pageferry"), ZshCompletion.of(line));
    }
}
