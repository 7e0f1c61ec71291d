package io.pageferry.agent.cli.option;

import io.pageferry.agent.report.Output;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Options that every command has. */
public final class CommonOptions {
    /** Set for a child whose stdout is a pipe and whose stderr is a terminal. */
    public static final String TERMINAL = "pageferry.terminal";

    @Option(names = "--json", description = "one JSON object per line on stdout")
    private boolean json;

    @Option(names = "--verbose", description = "stack traces of failures")
    private boolean verbose;

    @Option(names = "--state-dir", paramLabel = "DIR",
            description = "journals and locks; default: pageferry in the user's state home")
    private Path stateDirectory;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this help")
    private boolean help;

    /** Made by the command line. */
    public CommonOptions() {
    }

    /** {@return where the command writes} */
    public Output output() {
        return new Output(System.out, System.err, json);
    }

    /** {@return whether stack traces of failures are wanted} */
    public boolean verbose() {
        return verbose;
    }

    /** {@return where journals and locks are, or null for the user's own place} */
    public Path stateDirectory() {
        return stateDirectory;
    }

    /** {@return whether a bar can be drawn} */
    public static boolean terminal() {
        return Boolean.getBoolean(TERMINAL)
                || System.console() != null && System.console().isTerminal();
    }
}
