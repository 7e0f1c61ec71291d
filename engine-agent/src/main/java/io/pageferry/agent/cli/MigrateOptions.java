package io.pageferry.agent.cli;

import io.pageferry.agent.guest.Quantity;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.link.Message;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.source.SourceOptions;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** The options of {@code migrate}, which {@code demo} has too. */
final class MigrateOptions {
    @Option(names = "--max-downtime", paramLabel = "TIME", description = "default 300ms")
    String maxDowntime = "300ms";

    @Option(names = "--max-rounds", paramLabel = "N", description = "pre-copy rounds, default 30")
    int maxRounds = MigrationLimits.DEFAULT_ROUNDS;

    @Option(names = "--timeout", paramLabel = "TIME", description = "bounds pre-copy, default 1h")
    String timeout = "1h";

    @Option(names = "--on-no-convergence", paramLabel = "stop-and-copy|abort",
            description = "what to do when pre-copy does not get there")
    String onNoConvergence = "stop-and-copy";

    @Option(names = "--max-switchover", paramLabel = "TIME",
            description = "longest pause before the grant, default 10s")
    String maxSwitchover = "10s";

    @Option(names = "--policy", paramLabel = "downtime-budget|kvm-classic")
    String policy = "downtime-budget";

    @Option(names = "--channels", paramLabel = "N", description = "data channels, 1 to 64, default 1")
    int channels = 1;

    @Option(names = "--codec", paramLabel = "adaptive|none|lz4")
    String codec = "adaptive";

    @Option(names = "--tracker", paramLabel = "auto|userfaultfd|marking")
    String tracker = "auto";

    @Option(names = "--verify", paramLabel = "sent|none")
    String verify = "sent";

    @Option(names = "--after", paramLabel = "quit|keep",
            description = "what becomes of the guest here, default quit")
    String after = "quit";

    @Option(names = "--settle-window", paramLabel = "TIME", description = "default 30s")
    String settleWindow = "30s";

    @Option(names = "--linger", paramLabel = "TIME",
            description = "how long an embedded guest goes on, default 2s")
    String linger = "2s";

    @Option(names = "--progress", paramLabel = "auto|plain|none")
    String progress = "auto";

    @Option(names = "--insecure", description = "accept other than loopback addresses")
    boolean insecure;

    @Option(names = "--reconnect-window", paramLabel = "TIME",
            description = "how long a lost link is tried again, default 30s; 0s: not at all")
    String reconnectWindow = "30s";

    @Option(names = "--throttle", hidden = true)
    String throttle = "none";

    @Option(names = "--bandwidth", hidden = true)
    String bandwidth;

    @Option(names = "--bandwidth-switchover", hidden = true)
    String bandwidthSwitchover;

    @Option(names = "--max-stolen", hidden = true)
    String maxStolen;

    @Option(names = "--write-quota", hidden = true)
    String writeQuota;

    @Option(names = "--delta-cache", hidden = true)
    String deltaCache;

    @Option(names = "--capture", hidden = true)
    String capture;

    @Option(names = "--cold", hidden = true)
    boolean cold;

    @Option(names = "--copy-storage", hidden = true)
    boolean copyStorage;

    @Option(names = {"--tls-cert", "--tls-key", "--tls-ca"}, hidden = true)
    List<String> tls = new ArrayList<>();

    SourceOptions sourceOptions() {
        refuseLater();
        if (maxRounds < 1) {
            throw new UsageException("--max-rounds " + maxRounds + " is less than 1");
        }
        MigrationLimits limits = new MigrationLimits(
                CommonOptions.choice("--policy", policy, MigrationLimits.Policy.class),
                Quantity.nanos(maxDowntime), maxRounds, Quantity.nanos(timeout),
                CommonOptions.choice("--on-no-convergence", onNoConvergence,
                        MigrationLimits.OnNoConvergence.class),
                Quantity.nanos(maxSwitchover));
        SourceOptions defaults = SourceOptions.defaults();
        return new SourceOptions(limits,
                CommonOptions.choice("--codec", codec, CodecChoice.class), channels,
                verify.equals("sent"), defaults.negotiationNanos(),
                Quantity.nanos(settleWindow), after.equals("quit"), defaults.handoverCost(),
                Quantity.nanos(reconnectWindow));
    }

    /** The options as a child process is given them. */
    List<String> arguments() {
        List<String> arguments = new ArrayList<>(List.of("--max-downtime", maxDowntime,
                "--max-rounds", Integer.toString(maxRounds), "--timeout", timeout,
                "--on-no-convergence", onNoConvergence, "--max-switchover", maxSwitchover,
                "--policy", policy, "--channels", Integer.toString(channels), "--codec", codec,
                "--tracker", tracker, "--verify", verify, "--after", after,
                "--settle-window", settleWindow, "--reconnect-window", reconnectWindow,
                "--linger", linger, "--progress", progress));
        if (insecure) {
            arguments.add("--insecure");
        }
        return arguments;
    }

    private void refuseLater() {
        CommonOptions.later("--bandwidth", bandwidth);
        CommonOptions.later("--bandwidth-switchover", bandwidthSwitchover);
        CommonOptions.later("--max-stolen", maxStolen);
        CommonOptions.later("--write-quota", writeQuota);
        CommonOptions.later("--delta-cache", deltaCache);
        CommonOptions.later("--capture", capture);
        CommonOptions.later("--cold", cold);
        CommonOptions.later("--copy-storage", copyStorage);
        CommonOptions.later("--tls-cert, --tls-key, --tls-ca", tls.isEmpty() ? null : tls);
        CommonOptions.later("--throttle " + throttle, throttle.equals("none") ? null : throttle);
        if (channels < 1 || channels > Message.MAX_CHANNELS) {
            throw new UsageException("--channels " + channels + " is not in 1 to "
                    + Message.MAX_CHANNELS);
        }
        oneOf("--verify", verify, List.of("sent", "none"), List.of("full", "strong"));
        oneOf("--after", after, List.of("quit", "keep"), List.of("resume"));
        oneOf("--codec", codec, List.of("adaptive", "none", "lz4"), List.of("zstd", "delta"));
        oneOf("--tracker", tracker, List.of("auto", "userfaultfd", "marking"),
                List.of("scan", "kvm"));
    }

    private static void oneOf(String option, String value, List<String> now, List<String> later) {
        if (later.contains(value)) {
            throw new UsageException(option + " " + value + " is not in this version");
        }
        if (!now.contains(value)) {
            throw new UsageException(
                    option + " " + value + ": there are " + String.join(", ", now));
        }
    }
}
