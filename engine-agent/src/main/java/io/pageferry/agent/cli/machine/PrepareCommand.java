package io.pageferry.agent.cli.machine;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.cli.option.Cancellable;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.host.machine.Adaptation;
import io.pageferry.agent.host.machine.World;
import io.pageferry.agent.host.machine.boot.BootUnit;
import io.pageferry.agent.host.machine.prepare.Preparation;
import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.process.ProgramRunner;
import io.pageferry.agent.report.Output;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine;

/** {@code pageferry prepare}, on the machine that is to be moved. */
@Command(name = "prepare", description = "has the Linux that runs here start on other hardware"
        + " too, before its disks are moved")
public final class PrepareCommand implements Callable<Integer>, Cancellable {
    private static final int FAILED = 4;
    private static final int CANCELLED = 7;
    private static final String INSTALLED = "/usr/bin/pageferry";

    private final ProgramRunner runner = new ProgramRunner();

    @Option(names = "--dry-run", description = "tells what would be changed, and changes nothing")
    private boolean dry;

    @Option(names = "--undo", description = "has every file be as it was before")
    private boolean undo;

    @Option(names = "--for", paramLabel = "kvm|physical", description = "which console the boot"
            + " speaks to, and what has to be in every kernel; default kvm")
    private World world = World.KVM;

    @Option(names = "--mac", paramLabel = "NAME=MAC", description = "the card with this MAC gets"
            + " the interface name, where the hardware does not say it")
    private List<String> macs = new ArrayList<>();

    @Option(names = "--boot-check", paramLabel = "ARGUMENTS", description = "has a boot ask first"
            + " whether the machine was moved away, by pageferry boot-check with these arguments:"
            + " '--from ens8=10.0.0.9/24 --insecure'")
    private String bootCheck;

    @Option(names = "--root", paramLabel = "DIR", description = "the system in a folder instead of"
            + " the one that runs, to try it")
    private Path root = Path.of("/");

    @Option(names = "--json", description = "one JSON object on stdout")
    private boolean json;

    @Option(names = "--verbose", description = "stack traces of failures")
    private boolean verbose;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this help")
    private boolean help;

    /** Made by the command line. */
    public PrepareCommand() {
    }

    @Override
    public void cancel() {
        runner.cancel();
    }

    @Override
    public Integer call() throws IOException {
        if (undo && (!macs.isEmpty() || bootCheck != null)) {
            throw new UsageException("--undo takes neither --mac nor --boot-check");
        }
        if (!Files.isDirectory(root)) {
            throw new UsageException("--root " + root + ": there is no such folder");
        }
        Output output = new Output(System.out, System.err, json);
        Preparation preparation = new Preparation(root.toAbsolutePath().normalize(), runner);
        try {
            return undo ? undo(output, preparation) : prepare(output, preparation);
        } catch (GuestException e) {
            if (e.code() != ErrorCode.CANCELLED) {
                throw e;
            }
            output.note("pageferry: cancelled; pageferry prepare --undo undoes what was done");
            return CANCELLED;
        }
    }

    private int prepare(Output output, Preparation preparation) throws IOException {
        Adaptation plan = preparation.plan(new Adaptation.Options(world,
                AdaptCommand.given(macs), Optional.empty()), unit());
        ObjectNode event = Output.event(dry ? "would-prepare" : "prepared");
        ArrayNode changes = event.putArray("changes");
        for (Edits.Edit edit : plan.edits()) {
            changes.addObject().put("path", edit.path()).put("what", edit.what());
            output.human(edit.path() + ": " + edit.what());
        }
        boolean made = false;
        if (!dry) {
            try {
                made = preparation.apply(plan);
            } catch (IOException e) {
                if (e instanceof GuestException guest && guest.code() == ErrorCode.CANCELLED) {
                    throw e;
                }
                // Nothing is refused any more: files are changed.
                output.note("pageferry: " + e.getMessage() + (e instanceof GuestException guest
                        && !guest.remedy().isEmpty() ? "; " + guest.remedy() : "")
                        + "; pageferry prepare --undo undoes what was done");
                return FAILED;
            }
        }
        ArrayNode warnings = event.putArray("warnings");
        for (String warning : plan.warnings()) {
            warnings.add(warning);
            output.note("pageferry: " + warning);
        }
        if (bootCheck == null) {
            output.note("pageferry: without --boot-check power this machine off at once when it"
                    + " was moved: a reset would start it beside the other one");
        }
        output.emit(event.put("initramfs", made));
        output.human(dry ? "nothing was changed; the initramfs would be made anew where it lacks"
                + " a driver" : "prepared" + (made ? ", with an initramfs made anew" : "")
                + "; pageferry prepare --undo undoes it");
        return 0;
    }

    /** What would be refused at a boot is refused now. */
    private Optional<BootUnit> unit() {
        if (bootCheck == null) {
            return Optional.empty();
        }
        BootCheckCommand command = new BootCheckCommand();
        new CommandLine(command).parseArgs(bootCheck.isBlank() ? new String[0]
                : bootCheck.strip().split("\\s+"));
        command.requireSense();
        return Optional.of(new BootUnit(System.getProperty("pageferry.launcher", INSTALLED),
                bootCheck.strip()));
    }

    private int undo(Output output, Preparation preparation) throws IOException {
        Preparation.Undone undone = preparation.undo(dry);
        ObjectNode event = Output.event(dry ? "would-undo" : "undone");
        ArrayNode files = event.putArray("files");
        for (String path : undone.paths()) {
            files.add(path);
            output.human(path + ": as it was before");
        }
        ArrayNode left = event.putArray("changedSince");
        for (String path : undone.changedSince()) {
            left.add(path);
            output.note("pageferry: " + path + " was changed since, and is left as it is");
        }
        output.emit(event);
        return undone.changedSince().isEmpty() ? 0 : FAILED;
    }
}
