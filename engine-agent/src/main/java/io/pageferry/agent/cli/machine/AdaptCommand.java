package io.pageferry.agent.cli.machine;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.cli.option.Cancellable;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.host.disk.image.ImageFormat;
import io.pageferry.agent.host.machine.Adaptation;
import io.pageferry.agent.host.machine.InterfaceNames;
import io.pageferry.agent.host.machine.World;
import io.pageferry.agent.host.machine.adapt.CommitException;
import io.pageferry.agent.host.machine.adapt.DiskAdapter;
import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.process.ProgramRunner;
import io.pageferry.agent.report.Output;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pageferry adapt IMAGE --for kvm|physical}. */
@Command(name = "adapt", description = "has the Linux on a disk that nobody uses start on other"
        + " hardware")
public final class AdaptCommand implements Callable<Integer>, Cancellable {
    private static final int FAILED = 4;
    private static final int CANCELLED = 7;
    private static final String HOSTNAME = "[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?";

    private final ProgramRunner runner = new ProgramRunner();
    private volatile DiskAdapter running;
    private volatile Duration commit = Duration.ZERO;

    @Parameters(index = "0", paramLabel = "IMAGE", description = "a file or a device; of an image"
            + " with its format: PATH?format=qcow2")
    private String image;

    @Option(names = "--for", paramLabel = "kvm|physical", required = true, description = "kvm: a"
            + " virtual machine with virtio; physical: a machine with disks of its own")
    private World world;

    @Option(names = "--grow", description = "makes the last file system (ext4, xfs) as large as"
            + " IMAGE is")
    private boolean grow;

    @Option(names = "--clone", description = "gives it an identity of its own: machine-id, ssh host"
            + " keys, host name")
    private boolean clone;

    @Option(names = "--hostname", paramLabel = "NAME", description = "of a clone; default: its old"
            + " name with six characters more")
    private String hostname;

    @Option(names = "--mac", paramLabel = "NAME=MAC", description = "the card with this MAC gets"
            + " the interface name, where the system does not say it; may be given several times")
    private List<String> macs = new ArrayList<>();

    @Option(names = "--adapter", paramLabel = "virt-v2v", description = "has virt-v2v do it, where"
            + " it is installed: for Windows, LVM, encrypted disks")
    private String adapter;

    @Option(names = "--json", description = "one JSON object on stdout")
    private boolean json;

    @Option(names = "--verbose", description = "stack traces of failures")
    private boolean verbose;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this help")
    private boolean help;

    /** Made by the command line. */
    public AdaptCommand() {
    }

    @Override
    public void cancel() {
        DiskAdapter started = running;
        if (started == null) {
            runner.cancel();
            return;
        }
        started.cancel().ifPresent(longest -> {
            commit = longest;
            new Output(System.out, System.err, json).note("pageferry: the disk is being written,"
                    + " which cannot be cancelled now: this ends when it is done");
        });
    }

    @Override
    public Duration longestStop(Duration usual) {
        return usual.plus(commit);
    }

    @Override
    public Integer call() throws IOException {
        Output output = new Output(System.out, System.err, json);
        DiskAdapter.Options options = options();
        try {
            running = new DiskAdapter(runner, options);
            tell(output, options, running.run());
            return 0;
        } catch (CommitException e) {
            output.note("pageferry: " + e.getMessage());
            return FAILED;
        } catch (GuestException e) {
            if (e.code() != ErrorCode.CANCELLED) {
                throw e;
            }
            output.note("pageferry: cancelled; " + options.disk() + " is as it was");
            return CANCELLED;
        }
    }

    private DiskAdapter.Options options() {
        if (hostname != null && (!clone || !hostname.matches(HOSTNAME))) {
            throw new UsageException(clone ? "--hostname " + hostname + " is no name of a host"
                    : "--hostname is for --clone");
        }
        if (adapter != null && !adapter.equals("virt-v2v")) {
            throw new UsageException("--adapter " + adapter + ": there is virt-v2v");
        }
        if (adapter != null && (world != World.KVM || grow || clone || !macs.isEmpty())) {
            throw new UsageException("--adapter virt-v2v is for --for kvm alone, without --grow,"
                    + " --clone and --mac: adapt what it made a second time for those");
        }
        GuestUri uri = GuestUri.parse(image.startsWith("disk:") ? image : "disk:" + image);
        String format = uri.parameters().getOrDefault("format", "raw");
        Optional<ImageFormat> known = Stream.of(ImageFormat.values())
                .filter(one -> one.label().equals(format)).findFirst();
        if (known.isEmpty() && !format.equals("raw")) {
            throw new UsageException("format=" + format
                    + ": there are raw, qcow2, vmdk, vhdx, vdi");
        }
        if (uri.rest().isEmpty() || uri.rest().contains(",")) {
            throw new UsageException("adapt takes one disk: the one that is booted");
        }
        return new DiskAdapter.Options(Path.of(uri.rest()), known, new Adaptation.Options(world,
                given(macs), clone ? Optional.of(hostname == null ? "" : hostname)
                : Optional.empty()), grow, adapter != null);
    }

    /** Reads MACs by names. */
    static Map<String, String> given(List<String> macs) {
        Map<String, String> given = new TreeMap<>();
        for (String one : macs) {
            int equals = one.indexOf('=');
            Optional<String> mac = InterfaceNames.mac(one.substring(equals + 1));
            if (equals < 1 || mac.isEmpty() || !one.substring(0, equals).matches("[\\w.-]{1,15}")) {
                throw new UsageException("--mac " + one + ": write NAME=MAC, for example"
                        + " ens8=52:54:00:aa:bb:01");
            }
            given.put(one.substring(0, equals), mac.get());
        }
        return given;
    }

    private void tell(Output output, DiskAdapter.Options options, DiskAdapter.Result result) {
        ObjectNode event = Output.event("adapted").put("image", options.disk().toString())
                .put("for", world.label());
        ArrayNode changes = event.putArray("changes");
        for (Edits.Edit edit : result.edits()) {
            changes.addObject().put("path", edit.path()).put("what", edit.what());
            output.human(edit.path() + ": " + edit.what());
        }
        ArrayNode warnings = event.putArray("warnings");
        for (String warning : result.warnings()) {
            warnings.add(warning);
            output.note("pageferry: " + warning);
        }
        if (!result.growth().isEmpty()) {
            event.put("growth", result.growth());
            output.human("grown: " + result.growth());
        }
        if (!result.hostname().isEmpty()) {
            event.put("hostname", result.hostname());
            output.human("clone: its host is " + result.hostname());
        }
        event.put("totalMs", result.totalMillis()).put("programsMs", result.initramfsMillis())
                .put("commitMs", result.commitMillis());
        output.emit(event);
        output.human("adapted " + options.disk() + " for " + world.label() + " in "
                + result.totalMillis() + " ms (its own programs " + result.initramfsMillis()
                + ", written into it in " + result.commitMillis() + ")");
    }
}
