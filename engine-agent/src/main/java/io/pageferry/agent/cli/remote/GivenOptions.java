package io.pageferry.agent.cli.remote;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.report.Output;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** What a command was given, as a call says it: the names in camelCase, the values as they are. */
final class GivenOptions {
    /** What this command does with the answer, and where it asks. */
    private static final Set<String> OWN = Set.of("--to", "--slot", "--json", "--verbose", "--api",
            "--progress");

    /** What no caller says: files and sockets of the agent, and what an agent has no use for. */
    private static final Set<String> OF_THE_AGENT = Set.of("--state-dir", "--tls-cert", "--tls-key",
            "--tls-ca", "--allow-peer", "--token-file", "--insecure", "--capture", "--quiesce",
            "--linger", "--xml", "--undefine-source", "--persistent");

    private static final Pattern HYPHEN = Pattern.compile("-([a-z])");

    private GivenOptions() {
    }

    /** By these a command and an agent at a port know each other. */
    private static final Set<String> OF_THE_CALL = Set.of("--tls-cert", "--tls-key", "--tls-ca");

    /** Collects them; fails at the first that an agent does not take. */
    static ObjectNode of(CommandSpec command, boolean overTls) {
        ObjectNode given = Output.object();
        for (OptionSpec option : command.commandLine().getParseResult().matchedOptions()) {
            String name = option.longestName();
            if (overTls && OF_THE_CALL.contains(name)) {
                continue;
            }
            if (OF_THE_AGENT.contains(name)) {
                throw new UsageException(name + " is not for a move by the agent of this host:"
                        + " leave it out, or do it without the agent by --standalone");
            }
            if (!OWN.contains(name)) {
                given.put(camel(name), option.arity().max() == 0 ? "true"
                        : option.originalStringValues().getLast());
            }
        }
        return given;
    }

    private static String camel(String option) {
        return HYPHEN.matcher(option.substring(2)).replaceAll(found ->
                found.group(1).toUpperCase(Locale.ROOT));
    }
}
