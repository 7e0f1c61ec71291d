package io.pageferry.agent.cli.manual;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine;

/** Completion for zsh, made of what is declared: a function that {@code compinit} finds. */
final class ZshCompletion {
    private static final List<String> PATHS = List.of("FILE", "DIR");

    private ZshCompletion() {
    }

    static String of(CommandLine line) {
        String name = line.getCommandName();
        StringBuilder text = new StringBuilder("#compdef " + name + "\n\n_" + name + "() {\n"
                + "  local -a commands\n  commands=(\n");
        line.getSubcommands().forEach((command, its) -> text.append("    '").append(command)
                .append(':').append(quoted(its.getCommandSpec().usageMessage().description()))
                .append("'\n"));
        text.append("  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n"
                + "    return\n  fi\n  shift words\n  (( CURRENT-- ))\n  case $words[1] in\n");
        for (Map.Entry<String, CommandLine> command : line.getSubcommands().entrySet()) {
            text.append("    ").append(command.getKey()).append(")\n      _arguments");
            options(command.getValue().getCommandSpec(), text);
            text.append(" \\\n        '*:argument:_files'\n      ;;\n");
        }
        return text.append("  esac\n}\n\n_").append(name).append(" \"$@\"\n").toString();
    }

    private static void options(CommandSpec command, StringBuilder text) {
        for (OptionSpec option : command.options()) {
            if (option.hidden()) {
                continue;
            }
            boolean value = option.arity().max() > 0;
            String label = option.paramLabel();
            String many = option.typeInfo().isMultiValue() ? "*" : "";
            for (String name : option.names()) {
                text.append(" \\\n        '").append(many).append(name)
                        .append(value && name.startsWith("--") ? "=" : "").append('[')
                        .append(quoted(option.description())).append(']')
                        .append(value ? ":" + quoted(label) + ":" + action(label) : "")
                        .append('\'');
            }
        }
    }

    /** Words of a choice are offered, and files where a file is wanted. */
    private static String action(String label) {
        return PATHS.contains(label) ? "_files"
                : label.matches("[a-z0-9-]+(\\|[a-z0-9-]+)+")
                        ? "(" + label.toLowerCase(Locale.ROOT).replace('|', ' ') + ")" : " ";
    }

    private static String quoted(String... text) {
        return String.join(" ", text).replace("%n", " ").replace("\\", "\\\\")
                .replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
                .replace("'", "'\\''");
    }
}
