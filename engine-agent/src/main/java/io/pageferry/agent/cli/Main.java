package io.pageferry.agent.cli;

import io.pageferry.agent.bench.Benches;
import io.pageferry.agent.cli.describe.CheckCommand;
import io.pageferry.agent.cli.describe.DescribeCommand;
import io.pageferry.agent.cli.disk.DiskTraining;
import io.pageferry.agent.cli.exit.CommandExit;
import io.pageferry.agent.cli.file.ImageCommand;
import io.pageferry.agent.cli.file.VerifyCommand;
import io.pageferry.agent.cli.guard.GuardServiceCommand;
import io.pageferry.agent.cli.machine.AdaptCommand;
import io.pageferry.agent.cli.machine.BootCheckCommand;
import io.pageferry.agent.cli.machine.PrepareCommand;
import io.pageferry.agent.cli.manual.Manuals;
import io.pageferry.agent.cli.option.Cancellable;
import io.pageferry.agent.cli.option.Choice;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.cli.remote.CancelCommand;
import io.pageferry.agent.cli.remote.DashboardCommand;
import io.pageferry.agent.cli.remote.HistoryCommand;
import io.pageferry.agent.cli.remote.LimitsCommand;
import io.pageferry.agent.cli.remote.TopCommand;
import io.pageferry.agent.cli.trust.TrustCommand;
import io.pageferry.agent.cli.watch.EventsCommand;
import io.pageferry.agent.cli.watch.WatchCommand;
import io.pageferry.agent.client.ApiException;
import io.pageferry.agent.host.linux.CoreDumps;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.session.warmup.WarmUp;
import io.pageferry.agent.state.guard.GuardMain;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine;

/** The entry of the {@code pageferry} command, and the only place that ends the process. */
@Command(name = "pageferry", mixinStandardHelpOptions = true, version = "pageferry 0.1.0",
        description = "moves running guests between hosts")
public final class Main implements Runnable {
    private static final int BUG = 70;

    /** In the order in which the help lists them. */
    private static final List<Class<?>> COMMANDS = List.of(DemoCommand.class, ReceiveCommand.class,
            MigrateCommand.class, ConvertCommand.class, PrepareCommand.class, AdaptCommand.class,
            BootCheckCommand.class, StatusCommand.class, SettleCommand.class, CheckCommand.class,
            DescribeCommand.class, ImageCommand.class, TrustCommand.class, VerifyCommand.class,
            AgentCommand.class, CancelCommand.class, LimitsCommand.class, WatchCommand.class,
            HistoryCommand.class, EventsCommand.class, TopCommand.class, DashboardCommand.class,
            GuardServiceCommand.class);

    /** Commands of the contract that are not built. */
    private static final List<String> LATER = List.of("plan");

    private Main() {
    }

    /**
     * Runs a command.
     *
     * @param args the command line
     */
    public static void main(String[] args) {
        CommandExit.prepare(Runtime.getRuntime()::halt);
        // On a host without a network card Netty would warn of what matters to nobody here.
        System.setProperty("org.slf4j.simpleLogger.log.io.netty.util.internal.MacAddressUtil",
                "error");
        CoreDumps.withholdMemory();
        System.exit(CommandExit.over(run(args)));
    }

    @Override
    public void run() {
        throw new UsageException("which command? pageferry --help lists them");
    }

    /** What may stand before a command too stands behind it for all that looks at its words. */
    private static String[] behindCommand(String[] args) {
        int words = args.length > 0 && args[0].startsWith("--api=") ? 1
                : args.length > 0 && args[0].equals("--api") ? 2 : 0;
        if (words == 0 || args.length <= words) {
            return args;
        }
        List<String> moved = new ArrayList<>(Arrays.asList(args).subList(words, args.length));
        moved.addAll(1, Arrays.asList(args).subList(0, words));
        return moved.toArray(String[]::new);
    }

    private static int run(String[] given) {
        String[] args = behindCommand(given);
        if (args.length == 1 && args[0].equals("guard")) {
            return guard();
        }
        if (args.length == 1 && args[0].equals("warm-up")) {
            train();
            return 0;
        }
        if (args.length == 2 && args[0].equals("manuals")) {
            return manuals(args);
        }
        if (args.length > 0 && LATER.contains(args[0])) {
            return Ending.usage(output(args), Side.SOURCE,
                    "the command '" + args[0] + "' is not in this version");
        }
        if (args.length > 0 && args[0].equals("bench")) {
            return Benches.run(Arrays.asList(args).subList(1, args.length), output(args));
        }
        CommandLine line = line(args);
        line.setParameterExceptionHandler((problem, arguments) -> usage(problem, arguments));
        line.setExecutionExceptionHandler((failure, command, parsed) -> failed(failure, args));
        try {
            return line.execute(args);
        } catch (Error e) {
            return broken(e, args);
        }
    }

    /** Has the JVM learn from a migration, and from the command lines that begin one. */
    private static void train() {
        parse("migrate", "workload:1MiB", "--to", "127.0.0.1:1", "--json");
        parse("receive", "image:/warm-up", "--listen", "127.0.0.1:1", "--json");
        parse("status", "--json");
        WarmUp.train();
        DiskTraining.run(words -> line(words).execute(words));
    }

    private static int manuals(String[] args) {
        try {
            Manuals.write(line(), Path.of(args[1]));
            return 0;
        } catch (IOException e) {
            return failed(e, args);
        }
    }

    private static void parse(String... args) {
        line(args).parseArgs(args);
    }

    /** Every command with every option: parsing, help and what is passed on follow from it. */
    static CommandLine line() {
        return line(COMMANDS);
    }

    /** With the one command that is named, as the others take long to build; else with all. */
    private static CommandLine line(String[] args) {
        List<Class<?>> named = args.length == 0 ? List.of() : COMMANDS.stream()
                .filter(one -> one.getAnnotation(Command.class).name().equals(args[0])).toList();
        return line(named.isEmpty() ? COMMANDS : named);
    }

    private static CommandLine line(List<Class<?>> commands) {
        CommandLine line = new CommandLine(new Main());
        commands.forEach(line::addSubcommand);
        Choice.register(line);
        line.setExecutionStrategy(parsed -> {
            refuseLater(parsed);
            if (parsed.hasSubcommand() && parsed.subcommand().commandSpec().userObject()
                    instanceof Cancellable command) {
                CommandExit.onStop(command::cancel,
                        () -> command.longestStop(CommandExit.STOP));
            }
            return new CommandLine.RunLast().execute(parsed);
        });
        return line;
    }

    /** Options of the contract that are not built are hidden. */
    private static void refuseLater(ParseResult parsed) {
        for (ParseResult at = parsed; at != null; at = at.subcommand()) {
            for (OptionSpec option : at.matchedOptions()) {
                if (option.hidden()) {
                    throw new ParameterException(at.commandSpec().commandLine(),
                            String.join(", ", option.names()) + " is not in this version");
                }
            }
        }
    }

    /** Out of memory is among them, and the kernel's error for a missing page of a file. */
    private static int broken(Error broken, String[] args) {
        boolean verbose = Arrays.asList(args).contains("--verbose");
        if (verbose) {
            broken.printStackTrace(System.err);
        }
        String why = broken instanceof InternalError
                ? "memory of a mapped file cannot be had: it was cut short, or its file system is"
                        + " full (" + broken.getMessage() + ")"
                : broken.toString();
        output(args).note("pageferry: " + why + (verbose ? "" : " (--verbose shows where)"));
        return BUG;
    }

    private static int guard() {
        try {
            return GuardMain.run(System.in, System.out, System.err);
        } catch (IOException e) {
            System.err.println("pageferry guard: " + e.getMessage());
            return BUG;
        }
    }

    private static int usage(ParameterException problem, String[] args) {
        String words = problem.getCause() instanceof UsageException why
                && problem.getArgSpec() instanceof OptionSpec option
                ? option.longestName() + " " + why.getMessage() : problem.getMessage();
        return Ending.usage(output(args), side(args), words);
    }

    private static int failed(Exception failure, String[] args) {
        boolean verbose = Arrays.asList(args).contains("--verbose");
        if (verbose) {
            failure.printStackTrace(System.err);
        }
        if (failure instanceof UsageException || failure instanceof IllegalArgumentException) {
            return Ending.usage(output(args), side(args), failure.getMessage());
        }
        if (failure instanceof ApiException refused) {
            return refused.exitCode() == Ending.USAGE
                    ? Ending.usage(output(args), side(args), Ending.words(refused))
                    : said(args, Ending.words(refused), refused.exitCode());
        }
        return said(args, words(failure) + (verbose ? "" : " (--verbose shows where)"),
                failure instanceof IOException ? 3 : BUG);
    }

    private static int said(String[] args, String words, int code) {
        output(args).note("pageferry: " + words);
        return code;
    }

    /** Our own messages are complete; those of the JDK are often only a file's name. */
    private static String words(Exception failure) {
        if (failure instanceof GuestException guest) {
            return guest.getMessage() + (guest.remedy().isEmpty() ? "" : "; " + guest.remedy());
        }
        return failure.getClass() == IOException.class ? failure.getMessage()
                : failure.toString();
    }

    private static Output output(String[] args) {
        return new Output(System.out, System.err, Arrays.asList(args).contains("--json"));
    }

    private static Side side(String[] args) {
        return args.length > 0 && args[0].equals("receive") ? Side.TARGET : Side.SOURCE;
    }
}
