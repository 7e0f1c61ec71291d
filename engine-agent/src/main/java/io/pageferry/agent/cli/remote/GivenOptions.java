package io.pageferry.agent.cli.remote;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.cli.call.CallWords;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.report.Output;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** What a command was given, as a call says it: the names in camelCase, the values as they are. */
final class GivenOptions {
    /** What this command does with the answer, and where it asks. */
    private static final Set<String> OWN = Set.of("--to", "--slot", "--json", "--verbose", "--api",
            "--progress");

    /** By these a command and an agent at a port know each other. */
    private static final Set<String> OF_THE_CALL = Set.of("--tls-cert", "--tls-key", "--tls-ca");

    private GivenOptions() {
    }

    /** Collects them; fails at the first that an agent does not take. */
    static ObjectNode of(CommandSpec command, boolean overTls) {
        ObjectNode given = Output.object();
        for (OptionSpec option : all(command, overTls)) {
            String name = option.longestName();
            if (!CallWords.takes(name)) {
                throw new UsageException(name + " is not for a move by the agent of this host:"
                        + " leave it out, or do it without the agent by --standalone");
            }
            given.put(CallWords.nameOf(name), option.arity().max() == 0 ? "true"
                    : option.originalStringValues().getLast());
        }
        return given;
    }

    /** Returns those that were given and are not for this command itself. */
    static List<OptionSpec> all(CommandSpec command, boolean overTls) {
        return command.commandLine().getParseResult().matchedOptions().stream()
                .filter(option -> !OWN.contains(option.longestName())
                        && !(overTls && OF_THE_CALL.contains(option.longestName()))).toList();
    }
}
