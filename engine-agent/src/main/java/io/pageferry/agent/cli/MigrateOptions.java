package io.pageferry.agent.cli;

import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.Quantity;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.link.Message;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.round.MigrationLimits.Throttle;
import io.pageferry.core.round.WriteThrottle;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** The options of {@code migrate}, which {@code demo} has too. */
final class MigrateOptions {
    /** 20 %: a guest that loses more for long is worse off than one that stands for a moment. */
    private static final int DEFAULT_STOLEN_PERCENT = 20;

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

    @Option(names = "--channels", paramLabel = "N",
            description = "data channels, 1 to 64, default 1")
    int channels = 1;

    @Option(names = "--codec", paramLabel = "adaptive|none|lz4")
    String codec = "adaptive";

    @Option(names = "--tracker", paramLabel = "auto|userfaultfd|scan|marking|dirty-log")
    String tracker = "auto";

    @Option(names = "--verify", paramLabel = "sent|full|none",
            description = "full: the paused guest's whole memory is read once more")
    String verify = "sent";

    @Option(names = "--after", paramLabel = "quit|keep|resume",
            description = "what becomes of the guest here, default quit; of a process keep")
    String after;

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

    @Option(names = "--throttle", paramLabel = "none|auto|PERCENT",
            description = "slows the guest's writes down, default none")
    String throttle = "none";

    @Option(names = "--max-stolen", paramLabel = "PERCENT", description = "most of the guest's"
            + " time that a throttle may take over the move, default 20%% for auto")
    String maxStolen;

    @Option(names = "--write-quota", paramLabel = "WRITES/TIME",
            description = "the throttle of kvm-classic, 40/10ms for auto")
    String writeQuota;

    @Option(names = "--bandwidth", paramLabel = "RATE",
            description = "most of the link, with headers, in every round")
    String bandwidth;

    @Option(names = "--bandwidth-switchover", paramLabel = "RATE|none",
            description = "the same for the last round, default that of --bandwidth")
    String bandwidthSwitchover;

    @Option(names = "--delta-cache", hidden = true)
    String deltaCache;

    @Option(names = "--capture", hidden = true)
    String capture;

    @Option(names = "--cold", description = "pause the guest first, then copy")
    boolean cold;

    @Option(names = "--copy-storage",
            description = "copy the disks too: both sides have images of their own")
    boolean copyStorage;

    @Option(names = {"--tls-cert", "--tls-key", "--tls-ca"}, hidden = true)
    List<String> tls = new ArrayList<>();

    /** What becomes of a guest of a kind. */
    String after(GuestKind kind) {
        List<String> known = kind.afterwards();
        if (after == null) {
            return known.getFirst();
        }
        if (!known.contains(after)) {
            throw new UsageException("--after " + after + ": of a " + kind.scheme()
                    + " guest there are " + String.join(", ", known));
        }
        return after;
    }

    SourceOptions sourceOptions(GuestKind kind) {
        refuseLater();
        if (maxRounds < 1) {
            throw new UsageException("--max-rounds " + maxRounds + " is less than 1");
        }
        MigrationLimits.Policy chosen = CommonOptions.choice("--policy", policy,
                MigrationLimits.Policy.class);
        MigrationLimits limits = new MigrationLimits(chosen,
                Quantity.nanos(maxDowntime), maxRounds, Quantity.nanos(timeout),
                CommonOptions.choice("--on-no-convergence", onNoConvergence,
                        MigrationLimits.OnNoConvergence.class),
                Quantity.nanos(maxSwitchover), bandwidth(), throttling(chosen));
        SourceOptions defaults = SourceOptions.defaults();
        return new SourceOptions(limits,
                CommonOptions.choice("--codec", codec, CodecChoice.class), channels,
                !verify.equals("none"), defaults.negotiationNanos(),
                Quantity.nanos(settleWindow), !after(kind).equals("keep"), defaults.handoverCost(),
                cold ? 0 : Quantity.nanos(reconnectWindow),
                new SourceOptions.Extras(cold, verify.equals("full")));
    }

    /** The options as a child process is given them. */
    List<String> arguments() {
        List<String> arguments = new ArrayList<>(List.of("--max-downtime", maxDowntime,
                "--max-rounds", Integer.toString(maxRounds), "--timeout", timeout,
                "--on-no-convergence", onNoConvergence, "--max-switchover", maxSwitchover,
                "--policy", policy, "--channels", Integer.toString(channels), "--codec", codec,
                "--tracker", tracker, "--verify", verify,
                "--settle-window", settleWindow, "--reconnect-window", reconnectWindow,
                "--linger", linger, "--progress", progress));
        arguments.addAll(List.of("--throttle", throttle));
        addGiven(arguments, "--after", after);
        addGiven(arguments, "--max-stolen", maxStolen);
        addGiven(arguments, "--write-quota", writeQuota);
        addGiven(arguments, "--bandwidth", bandwidth);
        addGiven(arguments, "--bandwidth-switchover", bandwidthSwitchover);
        if (cold) {
            arguments.add("--cold");
        }
        if (copyStorage) {
            arguments.add("--copy-storage");
        }
        if (insecure) {
            arguments.add("--insecure");
        }
        return arguments;
    }

    private static void addGiven(List<String> arguments, String option, String value) {
        if (value != null) {
            arguments.addAll(List.of(option, value));
        }
    }

    private Bandwidth bandwidth() {
        long rate = bandwidth == null ? 0 : rate("--bandwidth", bandwidth);
        if (copyStorage) {
            // The last quarter is for what the guest writes to its disks meanwhile.
            rate -= rate / 4;
        }
        if (bandwidthSwitchover == null) {
            return new Bandwidth(rate, rate);
        }
        return new Bandwidth(rate, bandwidthSwitchover.equals("none")
                ? 0 : rate("--bandwidth-switchover", bandwidthSwitchover));
    }

    private static long rate(String option, String text) {
        long rate = Quantity.bytesPerSecond(text);
        if (rate < Bandwidth.LEAST) {
            throw new UsageException(option + " " + text
                    + " is less than 1Mbit/s, too little for pages of 4 KiB");
        }
        return rate;
    }

    private MigrationLimits.Throttling throttling(MigrationLimits.Policy chosen) {
        boolean classic = chosen == MigrationLimits.Policy.KVM_CLASSIC;
        if (writeQuota != null && !classic) {
            throw new UsageException("--write-quota is the throttle of --policy kvm-classic;"
                    + " with " + policy + " there are --throttle auto and --throttle PERCENT");
        }
        boolean auto = throttle.equals("auto");
        Throttle how = auto ? Throttle.AUTO
                : throttle.equals("none") ? Throttle.NONE : Throttle.FIXED;
        WriteThrottle.Quota quota = writeQuota != null ? quota(writeQuota)
                : classic && auto ? WriteThrottle.Quota.CLASSIC : null;
        int most = maxStolen != null ? percent("--max-stolen", maxStolen, 100)
                : auto && !classic ? DEFAULT_STOLEN_PERCENT : 100;
        return new MigrationLimits.Throttling(how, how == Throttle.FIXED
                ? percent("--throttle", throttle, WriteThrottle.MAX_PERCENT) : 0, quota, most);
    }

    private static int percent(String option, String text, int most) {
        String number = text.endsWith("%") ? text.substring(0, text.length() - 1) : text;
        try {
            int percent = Integer.parseInt(number.strip());
            if (percent >= 1 && percent <= most) {
                return percent;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new UsageException(option + " " + text + ": write a percentage of 1 to " + most);
    }

    private static WriteThrottle.Quota quota(String text) {
        int slash = text.indexOf('/');
        try {
            long writes = Long.parseLong(text.substring(0, Math.max(0, slash)).strip());
            long period = Quantity.nanos(text.substring(slash + 1));
            if (writes >= 1 && period >= 1_000_000) {
                return new WriteThrottle.Quota(writes, period);
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new UsageException("--write-quota " + text
                + ": write pages and a period of 1ms or more, for example 40/10ms");
    }

    private void refuseLater() {
        CommonOptions.later("--delta-cache", deltaCache);
        CommonOptions.later("--capture", capture);
        CommonOptions.later("--tls-cert, --tls-key, --tls-ca", tls.isEmpty() ? null : tls);
        if (channels < 1 || channels > Message.MAX_CHANNELS) {
            throw new UsageException("--channels " + channels + " is not in 1 to "
                    + Message.MAX_CHANNELS);
        }
        oneOf("--verify", verify, List.of("sent", "full", "none"), List.of("strong"));
        oneOf("--codec", codec, List.of("adaptive", "none", "lz4"), List.of("zstd", "delta"));
        oneOf("--tracker", tracker, List.of("auto", "userfaultfd", "scan", "marking",
                "dirty-log"), List.of("kvm"));
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
