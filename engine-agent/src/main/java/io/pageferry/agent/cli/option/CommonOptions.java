package io.pageferry.agent.cli.option;

import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
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
            description = "journals and locks; default: pageferry in the user's state home, of"
            + " machine: at the source /run/pageferry-machine")
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

    /**
     * Returns where a source keeps its journals.
     *
     * @param kind of its guest
     * @return the folder, or null for the user's own place
     */
    public Path stateDirectory(GuestKind kind) {
        return stateDirectory == null ? kind.stateDirectory().orElse(null) : stateDirectory;
    }

    /**
     * Returns where journals are that were made here.
     *
     * @return folders, one of them null for the user's own place
     */
    public List<Path> stateDirectories() {
        List<Path> folders = new ArrayList<>();
        folders.add(stateDirectory);
        if (stateDirectory == null) {
            GuestKinds.stateDirectories().filter(Files::isWritable).forEach(folders::add);
        }
        return folders;
    }

    /**
     * Finds the journals of a migration.
     *
     * @param migration its id
     * @return the folder that has one, or where there would be one; null for the user's own place
     * @throws IOException when one cannot be looked into
     */
    public Path stateDirectory(UUID migration) throws IOException {
        for (Path folder : stateDirectories()) {
            StateDirectory opened = StateDirectory.open(folder);
            for (Side side : Side.values()) {
                if (opened.find(migration, side).isPresent()) {
                    return folder;
                }
            }
        }
        return stateDirectory;
    }

    /** {@return whether a bar can be drawn} */
    public static boolean terminal() {
        return Boolean.getBoolean(TERMINAL)
                || System.console() != null && System.console().isTerminal();
    }
}
