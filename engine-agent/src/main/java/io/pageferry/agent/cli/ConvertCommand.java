package io.pageferry.agent.cli;

import io.pageferry.agent.cli.disk.DiskNames;
import io.pageferry.agent.cli.disk.MachineCopy;
import io.pageferry.agent.cli.exit.CommandExit;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.cli.option.OptionWording;
import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.host.process.ProcessAge;
import io.pageferry.agent.report.Listeners;
import io.pageferry.agent.report.MigrationView;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.report.ProgressMode;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.agent.session.GuestFactory;
import io.pageferry.agent.session.disk.Conversion;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.migration.Verification;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.words.Quantity;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pageferry convert FROM TO}. */
@Command(name = "convert", description = "copies a disk that nobody writes to, from format to"
        + " format, and proves the copy")
final class ConvertCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "FROM",
            description = "a path or disk:PATH; of an image with its format: PATH?format=qcow2;"
                    + " or a machine's description (.vmx, .ovf, libvirt's .xml) beside its disks")
    private String from;

    @Parameters(index = "1", paramLabel = "TO", description = "a file that is to be made, of the"
            + " format that its name ends with; a device; or with --format what is to be replaced;"
            + " of a description a folder")
    private String to;

    @Option(names = "--format", paramLabel = "FORMAT",
            description = "of TO: raw, qcow2, vmdk, vhdx or vdi")
    private String format;

    @Option(names = "--verify", paramLabel = "sent|full|none",
            description = "full: FROM is read a second time; default sent")
    private Verification verification = Verification.SENT;

    @Option(names = "--timeout", paramLabel = "TIME", description = "of the whole, default 24h")
    private String timeout = "24h";

    @Option(names = "--progress", paramLabel = "auto|plain|none")
    private ProgressMode progress = ProgressMode.AUTO;

    @Mixin
    private CommonOptions common;

    @Override
    public Integer call() {
        Output output = common.output();
        MigrationView view = new MigrationView(output, progress, CommonOptions.terminal(),
                System::nanoTime);
        MigrationListener listener = Listeners.after(view);
        try {
            Optional<MachineCopy> machine = MachineCopy.of(from, to, format);
            AgentResult result = machine.isPresent() ? copy(machine.get(), view, listener)
                    : copy(settings(DiskNames.parse(from),
                            DiskNames.target(DiskNames.parse(to), format)), view, listener);
            return Ending.of(output, common.verbose(), result);
        } catch (GuestException e) {
            return Ending.of(output, common.verbose(), AgentResult.refused(Side.SOURCE, e));
        }
    }

    /** The disks of a machine, and what describes it to the other side. */
    private AgentResult copy(MachineCopy machine, MigrationView view, MigrationListener listener)
            throws GuestException {
        machine.notes().forEach(line -> listener.on(MigrationEvent.warn(line)));
        machine.begin();
        boolean copied = false;
        try {
            AgentResult result = copy(settings(machine.source(), machine.target()), view,
                    listener);
            copied = result.outcome().result() == Result.COMPLETED;
            if (copied) {
                listener.on(MigrationEvent.info(machine.words()));
            }
            return result;
        } finally {
            if (!copied) {
                machine.giveUp();
            }
        }
    }

    private AgentResult copy(Conversion.Settings settings, MigrationView view,
            MigrationListener listener) {
        Conversion conversion = new Conversion(settings, listener);
        CommandExit.onStop(conversion::cancel);
        view.opening(from);
        try {
            return conversion.run();
        } finally {
            view.opened();
        }
    }

    private Conversion.Settings settings(GuestUri read, GuestUri target) {
        GuestUri source = read.with("tracker", "none");
        GuestKind disks = GuestKinds.of(source);
        // Nothing is paused, so no code has to be warm for it.
        GuestFactory<SourceGuest> reads = new GuestFactory<>(source.text(),
                setup -> disks.openSource(source, setup), () -> () -> { }, ProcessAge::nanos);
        GuestFactory<TargetGuest> fills = new GuestFactory<>(target.text(), setup -> {
            DiskNames.requireFree(source, target);
            return disks.openTarget(target, setup);
        }, () -> () -> { }, ProcessAge::nanos);
        return new Conversion.Settings(reads, fills, options(), common.stateDirectory());
    }

    /** Bytes are handed over in memory: to compress them is of no use. */
    private SourceOptions options() {
        SourceOptions usual = SourceOptions.defaults();
        return usual.withLimits(MigrationLimits.defaults().within(Quantity.nanos(timeout))
                        .standingStill())
                .withPages(CodecChoice.NONE, 1).withVerification(verification)
                .withWindows(0, usual.settleNanos()).withWording(new OptionWording());
    }
}
