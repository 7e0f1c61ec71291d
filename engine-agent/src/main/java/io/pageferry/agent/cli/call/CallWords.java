package io.pageferry.agent.cli.call;

import io.pageferry.agent.cli.option.Addresses;
import io.pageferry.agent.cli.option.Choice;
import io.pageferry.agent.cli.option.DiskArguments;
import io.pageferry.agent.cli.option.MigrateOptions;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.daemon.CallException;
import io.pageferry.agent.daemon.CallException.Why;
import io.pageferry.agent.daemon.MoveRequest;
import io.pageferry.agent.daemon.MoveWords;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.link.Connector;
import io.pageferry.agent.link.PeerTrust;
import io.pageferry.agent.link.SocketConnector;
import io.pageferry.agent.session.MigrateSettings;
import io.pageferry.core.words.Quantity;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/**
 * Reads the words of a call as those of the command line: by the same declarations, their names in
 * camelCase.
 *
 * @param trust    how peers show that they belong
 * @param insecure whether other than loopback addresses are accepted without encryption
 */
public record CallWords(PeerTrust trust, boolean insecure) implements MoveWords {
    /** Those of the operator of this host alone: files, commands, and what no daemon has. */
    private static final Set<String> NOT_FOR_CALLERS = Set.of("--linger", "--progress",
            "--capture", "--insecure", "--quiesce", "--slot");

    private static final Pattern CAPITAL = Pattern.compile("[A-Z]");
    private static final Pattern OPTION = Pattern.compile("--([a-z]+(?:-[a-z]+)*)");
    private static final Pattern HYPHEN = Pattern.compile("-([a-z])");

    /** All that a call may say. */
    @CommandLine.Command
    private static final class Given {
        @Mixin
        private MigrateOptions options;

        @Mixin
        private DiskArguments disk;
    }

    /** Found out once, and only where they are asked for: by commands, not by the agent. */
    private static final class Names {
        private static final Set<String> ALL = names(new CommandLine(new Given()));
    }

    @Override
    public MigrateSettings settings(MoveRequest request, GuestUri guest, Path stateDirectory) {
        Given given = parse(request.options());
        return words(() -> {
            GuestUri uri = given.disk.of(guest);
            return new MigrateSettings(given.disk.source(uri).inWarmProcess(),
                    new SocketConnector(Addresses.parse("--to", request.to(), trust.tls(),
                            insecure), trust, Optional.empty()),
                    given.options.tracker(), given.options.sourceOptions(uri),
                    given.disk.after(given.options.after(GuestKinds.of(uri))),
                    given.options.copyStorage(), stateDirectory,
                    Quantity.nanos(given.options.linger()), request.slot());
        });
    }

    @Override
    public Map<String, String> limits(Map<String, String> options) {
        return parse(options).options.changeable();
    }

    @Override
    public Connector connector(String peer) {
        return words(() -> Addresses.isAddress(peer) ? new SocketConnector(Addresses.parse(
                "the journal's peer", peer, trust.tls(), insecure), trust, Optional.empty())
                : null);
    }

    private static Given parse(Map<String, String> words) {
        Given given = new Given();
        CommandLine line = new CommandLine(given).setExpandAtFiles(false);
        Choice.register(line);
        List<String> args = new ArrayList<>();
        words.forEach((name, value) -> argument(line, name, value).ifPresent(args::add));
        return words(() -> {
            line.parseArgs(args.toArray(String[]::new));
            return given;
        });
    }

    /** A switch stands alone, or not at all; a value never begins an option of its own. */
    private static Optional<String> argument(CommandLine line, String name, String value) {
        String option = "--" + CAPITAL.matcher(name)
                .replaceAll(found -> "-" + found.group().toLowerCase(Locale.ROOT));
        OptionSpec known = line.getCommandSpec().findOption(option);
        if (known == null || !nameOf(option).equals(name) || known.hidden()
                || NOT_FOR_CALLERS.contains(option)) {
            throw new CallException(Why.USAGE, "'" + name + "' is no option of a call",
                    "there are " + String.join(", ", names(line)));
        }
        if (known.arity().max() > 0) {
            return Optional.of(option + "=" + value);
        }
        return switch (value) {
            case "true" -> Optional.of(option);
            case "false" -> Optional.empty();
            default -> throw new CallException(Why.USAGE, name + " is neither true nor false",
                    "write true, or leave it out");
        };
    }

    private static Set<String> names(CommandLine line) {
        Set<String> names = new TreeSet<>();
        line.getCommandSpec().options().stream().filter(option -> !option.hidden()
                && !NOT_FOR_CALLERS.contains(option.longestName()))
                .forEach(option -> names.add(nameOf(option.longestName())));
        return names;
    }

    private static <T> T words(Supplier<T> reader) {
        try {
            return reader.get();
        } catch (ParameterException e) {
            String option = e.getCause() instanceof UsageException
                    && e.getArgSpec() instanceof OptionSpec spec ? spec.longestName() + " " : "";
            throw usage(option + (option.isEmpty() ? e : e.getCause()).getMessage());
        } catch (UsageException | IllegalArgumentException e) {
            throw usage(e.getMessage());
        }
    }

    /** Callers know the options by another name. */
    private static CallException usage(String message) {
        Matcher option = OPTION.matcher(message);
        return new CallException(Why.USAGE, option.replaceAll(found -> camel(found.group(1))),
                "GET /v1/openapi.json describes the options");
    }

    /**
     * Returns whether a call may say an option of {@code migrate}.
     *
     * @param option with its hyphens
     * @return false for those that the operator of the agent says, or that mean nothing to one
     */
    public static boolean takes(String option) {
        return Names.ALL.contains(nameOf(option));
    }

    /**
     * Names an option as a call does.
     *
     * @param option with its hyphens
     * @return in camelCase
     */
    public static String nameOf(String option) {
        return camel(option.substring(2));
    }

    private static String camel(String words) {
        return HYPHEN.matcher(words).replaceAll(found ->
                found.group(1).toUpperCase(Locale.ROOT));
    }
}
