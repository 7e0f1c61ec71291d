package io.pageferry.agent.cli.option;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.report.ProgressMode;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SlotName;
import io.pageferry.core.migration.Verification;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.round.MigrationLimits.OnNoConvergence;
import io.pageferry.core.round.MigrationLimits.Policy;
import io.pageferry.core.round.MigrationLimits.Throttle;
import io.pageferry.core.round.WriteThrottle;
import io.pageferry.core.words.Quantity;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The options of {@code migrate}, which {@code demo} has too. */
public final class MigrateOptions {
    /** 20 %: a guest that loses more for long is worse off than one that stands for a moment. */
    private static final int DEFAULT_STOLEN_PERCENT = 20;

    /** What {@code --capture} does, on either side. */
    public static final String CAPTURE = "write down what goes over the connections, for"
            + " pageferry verify; a new file, with the guest's memory in it";

    @Option(names = "--max-downtime", paramLabel = "TIME", description = "default 300ms")
    private String maxDowntime = "300ms";

    @Option(names = "--max-rounds", paramLabel = "N", description = "pre-copy rounds, default 30")
    private int maxRounds = MigrationLimits.DEFAULT_ROUNDS;

    @Option(names = "--timeout", paramLabel = "TIME", description = "bounds pre-copy, default 1h")
    private String timeout = "1h";

    @Option(names = "--on-no-convergence", paramLabel = "stop-and-copy|abort",
            description = "what to do when pre-copy does not get there")
    private OnNoConvergence onNoConvergence = OnNoConvergence.STOP_AND_COPY;

    @Option(names = "--max-switchover", paramLabel = "TIME",
            description = "longest pause before the grant, default 10s")
    private String maxSwitchover = "10s";

    @Option(names = "--policy", paramLabel = "downtime-budget|kvm-classic")
    private Policy policy = Policy.DOWNTIME_BUDGET;

    @Option(names = "--channels", paramLabel = "N",
            description = "data channels, 1 to 64, default 1")
    private int channels = 1;

    @Option(names = "--codec", paramLabel = "adaptive|none|lz4|zstd")
    private CodecChoice codec = CodecChoice.ADAPTIVE;

    @Option(names = "--delta-cache", paramLabel = "SIZE", description = "memory for what was sent"
            + " of pages that come again, so that only what changed is sent; 0 for none, default"
            + " 512MiB")
    private String deltaCache = "512MiB";

    @Option(names = "--tracker", paramLabel = "auto|userfaultfd|scan|marking|dirty-log|bpf")
    private TrackerChoice tracker = TrackerChoice.AUTO;

    @Option(names = "--verify", paramLabel = "sent|full|none",
            description = "full: the paused guest's whole memory is read once more")
    private Verification verify = Verification.SENT;

    @Option(names = "--audit", description = "after the handover, compare the paused guest's"
            + " whole memory with the target's: no downtime")
    private boolean audit;

    @Option(names = "--after", paramLabel = "quit|keep|resume|thaw|poweroff",
            description = "what becomes of the guest here, default quit; of a process or a disk"
            + " keep; poweroff: of a disk that is mounted, the whole machine")
    private String after;

    @Option(names = "--settle-window", paramLabel = "TIME", description = "default 30s")
    private String settleWindow = "30s";

    @Option(names = "--linger", paramLabel = "TIME",
            description = "how long an embedded guest goes on, default 2s")
    private String linger = "2s";

    @Option(names = "--progress", paramLabel = "auto|plain|none")
    private ProgressMode progress = ProgressMode.AUTO;

    @Option(names = "--insecure", description = "accept other than loopback addresses")
    private boolean insecure;

    @Option(names = "--reconnect-window", paramLabel = "TIME",
            description = "how long a lost link is tried again, default 30s; 0s: not at all")
    private String reconnectWindow = "30s";

    @Option(names = "--throttle", paramLabel = "none|auto|PERCENT",
            description = "slows the guest's writes down, default none")
    private String throttle = "none";

    @Option(names = "--max-stolen", paramLabel = "PERCENT", description = "most of the guest's"
            + " time that a throttle may take over the move, default 20%% for auto")
    private String maxStolen;

    @Option(names = "--write-quota", paramLabel = "WRITES/TIME",
            description = "the throttle of kvm-classic, 40/10ms for auto")
    private String writeQuota;

    @Option(names = "--bandwidth", paramLabel = "RATE",
            description = "most of the link, with headers, in every round")
    private String bandwidth;

    @Option(names = "--bandwidth-switchover", paramLabel = "RATE|none",
            description = "the same for the last round, default that of --bandwidth")
    private String bandwidthSwitchover;

    @Option(names = "--capture", paramLabel = "FILE", description = CAPTURE)
    private Path capture;

    @Option(names = "--slot", paramLabel = "NAME", description = "the target's place for the guest,"
            + " where it has several")
    private String slot = "";

    @Option(names = "--cold", description = "pause the guest first, then copy")
    private boolean cold;

    @Option(names = "--copy-storage",
            description = "copy the disks too: both sides have images of their own")
    private boolean copyStorage;

    @Spec(Spec.Target.SELF)
    private CommandSpec spec;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** Made by the command line. */
    public MigrateOptions() {
    }

    /** {@return how the writes of the guest are to be found} */
    public TrackerChoice tracker() {
        return tracker;
    }

    /** {@return whether its disks are copied} */
    public boolean copyStorage() {
        return copyStorage;
    }

    /** {@return where a capture is to be made, or null} */
    public Path capture() {
        return capture;
    }

    /** {@return whether others than loopback addresses are accepted} */
    public boolean insecure() {
        return insecure;
    }

    /** {@return how the migration is shown} */
    public ProgressMode progress() {
        return progress;
    }

    /** {@return the name of the target's slot, checked; empty for whichever is free} */
    public String slot() {
        return slotName(slot);
    }

    /**
     * Looks at the name of a slot.
     *
     * @param name as it was written, or empty where none was
     * @return it
     */
    public static String slotName(String name) {
        if (!name.isEmpty() && !SlotName.isValid(name)) {
            throw new UsageException("--slot '" + name + "': write 1 to " + SlotName.MAX_LENGTH
                    + " of a-z, 0-9, '.', '_' and '-'");
        }
        return name;
    }

    /** {@return how long an embedded guest goes on, as it was written} */
    public String linger() {
        return linger;
    }

    /**
     * Chooses what becomes of a guest here.
     *
     * @param kind of the guest
     * @return what was asked for, or what is usual of its kind
     */
    public After after(GuestKind kind) {
        List<After> known = kind.afterwards();
        Choice<After> choice = new Choice<>(known, List.of());
        return after == null ? known.getFirst() : known.stream()
                .filter(one -> one.label().equals(after)).findFirst()
                .orElseThrow(() -> new UsageException("--after " + after + ": of a "
                        + kind.scheme() + " guest there are " + choice.words()));
    }

    /**
     * Puts together how the migration is to go.
     *
     * @param uri the guest
     * @return the options, checked
     */
    public SourceOptions sourceOptions(GuestUri uri) {
        GuestKind kind = GuestKinds.of(uri);
        if (channels < 1 || channels > Message.MAX_CHANNELS) {
            throw new UsageException("--channels " + channels + " is not in 1 to "
                    + Message.MAX_CHANNELS);
        }
        if (maxRounds < 1) {
            throw new UsageException("--max-rounds " + maxRounds + " is less than 1");
        }
        MigrationLimits limits = new MigrationLimits(policy, Quantity.nanos(maxDowntime), maxRounds,
                Quantity.nanos(timeout), onNoConvergence, Quantity.nanos(maxSwitchover),
                bandwidth(), throttling());
        SourceOptions options = SourceOptions.defaults()
                .withLimits(kind.standsStill(uri) ? limits.standingStill() : limits)
                .withPages(codec, channels).withDeltaCache(Quantity.bytes(deltaCache))
                .withVerification(verify)
                .withWindows(Quantity.nanos(reconnectWindow), Quantity.nanos(settleWindow))
                .withAudit(audit)
                .withEndGuest(after(kind) != After.KEEP).withWording(new OptionWording());
        return cold ? options.paused() : options;
    }

    /**
     * Gives what may be changed while a guest moves, as text.
     *
     * @return by the names of options in camelCase; null where there is none
     */
    public Map<String, String> changeable() {
        Map<String, String> words = new LinkedHashMap<>();
        words.put("bandwidth", bandwidth);
        words.put("maxDowntime", maxDowntime);
        words.put("throttle", throttle);
        words.put("maxStolen", maxStolen);
        words.put("onNoConvergence", onNoConvergence.label());
        words.put("timeout", timeout);
        return words;
    }

    /** {@return what was given of these options, as a child process is given it} */
    public List<String> arguments() {
        List<String> arguments = new ArrayList<>();
        for (OptionSpec option : spec.options()) {
            if (command.commandLine().getParseResult().hasMatchedOption(option)) {
                arguments.add(option.longestName());
                if (option.arity().max() > 0) {
                    arguments.addAll(option.originalStringValues());
                }
            }
        }
        return arguments;
    }

    private Bandwidth bandwidth() {
        long rate = bandwidth == null ? 0 : rate("--bandwidth", bandwidth);
        Bandwidth all = new Bandwidth(rate, rate);
        Bandwidth shared = copyStorage ? all.sharedWithDisks() : all;
        return bandwidthSwitchover == null ? shared : shared.withSwitchover(
                bandwidthSwitchover.equals("none") ? 0
                        : rate("--bandwidth-switchover", bandwidthSwitchover));
    }

    /**
     * Reads a bandwidth.
     *
     * @param option that has it, as the user wrote it
     * @param text   the value
     * @return bytes a second
     */
    public static long rate(String option, String text) {
        long rate = Quantity.bytesPerSecond(text);
        if (rate < Bandwidth.LEAST) {
            throw new UsageException(option + " " + text
                    + " is less than 1Mbit/s, too little for pages of 4 KiB");
        }
        return rate;
    }

    private MigrationLimits.Throttling throttling() {
        boolean classic = policy == Policy.KVM_CLASSIC;
        if (writeQuota != null && !classic) {
            throw new UsageException("--write-quota is the throttle of --policy kvm-classic;"
                    + " with " + policy.label()
                    + " there are --throttle auto and --throttle PERCENT");
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
            // The error is thrown below.
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
            // The error is thrown below.
        }
        throw new UsageException("--write-quota " + text
                + ": write pages and a period of 1ms or more, for example 40/10ms");
    }
}
