package io.pageferry.agent.cli.manual;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The page of one command for man(1), in the macros of man(7). */
final class ManualPage {
    private static final String EXIT_CODES = """
            0 done; 2 the command line makes no sense; 3 refused before anything changed; 4 failed,
            and the guest runs on at the source; 5 failed, and the target owns the guest; 6 in
            doubt: it is paused until it is settled; 7 cancelled; 8 the guest itself ended; 70 a
            bug; 130 left to the agent by Ctrl-C.""";

    private final CommandSpec command;
    private final List<String> lines = new ArrayList<>();

    ManualPage(CommandSpec command) {
        this.command = command;
    }

    /** {@return the name of its file, without its section} */
    String name() {
        return command.qualifiedName("-");
    }

    /** {@return the page; the same for the same options} */
    String text() {
        lines.add(".TH " + name().toUpperCase(Locale.ROOT) + " 1 \"\" \"pageferry\"");
        section("NAME", name() + " - " + String.join(" ",
                command.usageMessage().description()));
        lines.add(".SH SYNOPSIS");
        lines.add(".B " + escaped(command.qualifiedName(" ")));
        options().forEach(option -> lines.add("[" + words(option) + "]"));
        command.positionalParameters().forEach(place -> lines.add(
                place.arity().min() == 0 ? "[" + italic(place) + "]" : italic(place)));
        if (!command.subcommands().isEmpty()) {
            lines.add("\\fICOMMAND\\fR ...");
            lines.add(".SH COMMANDS");
            command.subcommands().values().forEach(sub -> item("pageferry-"
                    + sub.getCommandName() + "(1)",
                    sub.getCommandSpec().usageMessage().description()));
        }
        if (!command.positionalParameters().isEmpty()) {
            lines.add(".SH ARGUMENTS");
            command.positionalParameters().forEach(place ->
                    item(place.paramLabel(), place.description()));
        }
        lines.add(".SH OPTIONS");
        options().forEach(option -> {
            lines.add(".TP");
            lines.add(words(option));
            lines.add(described(option.description()));
        });
        section("EXIT STATUS", EXIT_CODES);
        return String.join("\n", lines) + "\n";
    }

    private Stream<OptionSpec> options() {
        return command.options().stream().filter(option -> !option.hidden())
                .sorted(Comparator.comparing(OptionSpec::longestName));
    }

    private static String words(OptionSpec option) {
        String names = Stream.of(option.names()).map(name -> "\\fB" + escaped(name) + "\\fR")
                .reduce((one, other) -> one + ", " + other).orElseThrow();
        String value = "\\fI" + escaped(option.paramLabel()) + "\\fR";
        return option.arity().max() == 0 ? names
                : names + " " + (option.arity().min() == 0 ? "[" + value + "]" : value);
    }

    private static String italic(PositionalParamSpec place) {
        return "\\fI" + escaped(place.paramLabel()) + "\\fR";
    }

    private void section(String head, String text) {
        lines.add(".SH " + head);
        lines.add(escaped(text));
    }

    private void item(String term, String... description) {
        lines.add(".TP");
        lines.add("\\fB" + escaped(term) + "\\fR");
        lines.add(described(description));
    }

    /** Of an option without a word of its own its values say it all. */
    private static String described(String... description) {
        String text = String.join(" ", description).replace("%%", "%");
        return text.isEmpty() ? "\\&" : escaped(text);
    }

    /** A hyphen would be set as a dash, and a line that begins with a dot is a request. */
    private static String escaped(String text) {
        return text.lines().map(line -> line.replace("\\", "\\e").replace("-", "\\-"))
                .map(line -> line.startsWith(".") || line.startsWith("'") ? "\\&" + line : line)
                .reduce((one, other) -> one + "\n" + other).orElse("");
    }
}
