package io.pageferry.agent.cli;

import io.pageferry.agent.report.Output;
import io.pageferry.agent.report.ProgressMode;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Option;

/** Options that every command has. */
final class CommonOptions {
    /** Says to a child whose stdout is a pipe that its stderr is a terminal. */
    static final String TERMINAL = "pageferry.terminal";

    @Option(names = "--json", description = "one JSON object per line on stdout")
    boolean json;

    @Option(names = "--verbose", description = "stack traces of failures")
    boolean verbose;

    @Option(names = "--state-dir", paramLabel = "DIR",
            description = "journals and locks; default: pageferry in the user's state home")
    Path stateDirectory;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this help")
    boolean help;

    Output output() {
        return new Output(System.out, System.err, json);
    }

    /** Whether a bar can be drawn. */
    static boolean terminal() {
        return Boolean.getBoolean(TERMINAL)
                || System.console() != null && System.console().isTerminal();
    }

    static ProgressMode progress(String text) {
        return choice("--progress", text, ProgressMode.class);
    }

    /** One of an enum's names, in lower case with hyphens. */
    static <E extends Enum<E>> E choice(String option, String text, Class<E> type) {
        for (E value : type.getEnumConstants()) {
            if (word(value).equals(text)) {
                return value;
            }
        }
        List<String> words = List.of(type.getEnumConstants()).stream()
                .map(CommonOptions::word).toList();
        throw new UsageException(option + " " + text + ": there are " + String.join(", ", words));
    }

    static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Says no to an option of the contract that is not built. */
    static void later(String option, Object value) {
        if (value != null && !Boolean.FALSE.equals(value)) {
            throw new UsageException(option + " is not in this version");
        }
    }
}
