package io.pageferry.agent.cli.machine;

import io.pageferry.agent.cli.option.Addresses;
import io.pageferry.agent.cli.option.TrustArguments;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.host.machine.boot.MoveMark;
import io.pageferry.agent.host.machine.tree.SystemTree;
import io.pageferry.agent.host.process.ProgramRunner;
import io.pageferry.agent.link.PeerTrust;
import io.pageferry.agent.link.SocketConnector;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.state.settle.TargetWord;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.words.Quantity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code pageferry boot-check}, run by the unit that {@code prepare --boot-check} installs. */
@Command(name = "boot-check", description = "tells whether this machine was moved away, before it"
        + " starts again; 0: it was not")
public final class BootCheckCommand implements Callable<Integer> {
    private static final int TARGET_OWNS = 5;
    private static final int IN_DOUBT = 6;
    private static final String WAY_OUT = "pageferry boot-check --source --target-is-fenced";

    @Option(names = "--from", paramLabel = "NAME=ADDRESS/BITS[,GATEWAY]", description = "the"
            + " interface and the address by which the target is asked, for that time alone;"
            + " never one that went to the target")
    private String from;

    @Option(names = "--settle-window", paramLabel = "TIME", description = "longest wait for an"
            + " answer, default 2m")
    private String window = "2m";

    @Option(names = "--insecure", description = "ask other than loopback addresses without TLS")
    private boolean insecure;

    @Option(names = "--source", description = "an operator's word: the machine belongs here")
    private boolean source;

    @Option(names = "--target-is-fenced", description = "with --source: the target is certain"
            + " never to run the machine")
    private boolean fenced;

    @Option(names = "--root", paramLabel = "DIR", description = "the system in a folder instead of"
            + " the one that runs, to try it")
    private Path root = Path.of("/");

    @Option(names = "--json", description = "one JSON object on stdout")
    private boolean json;

    @Option(names = "--verbose", description = "stack traces of failures")
    private boolean verbose;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this help")
    private boolean help;

    @Mixin
    private TrustArguments trust;

    /** Made by the command line. */
    public BootCheckCommand() {
    }

    @Override
    public Integer call() throws IOException {
        requireSense();
        Output output = new Output(System.out, System.err, json);
        MoveMark marks = new MoveMark(new SystemTree(root.toAbsolutePath().normalize()));
        if (source) {
            // Whatever the mark says, and where it cannot be read too.
            marks.delete();
            return tell(output, Owner.SOURCE, "an operator said so");
        }
        Optional<MoveMark.Mark> mark;
        Optional<String> hardware;
        try {
            mark = marks.read();
            hardware = marks.hardware();
        } catch (IOException e) {
            return doubt(output, "nobody can tell whether this machine was moved away ("
                    + e.getMessage() + ")");
        }
        if (mark.isEmpty()) {
            return tell(output, Owner.SOURCE, "this machine was not moved away");
        }
        if (hardware.isEmpty()) {
            return doubt(output, "this hardware shows no UUID, so that nobody can tell whether it"
                    + " is what the machine was moved from, or what it was moved to");
        }
        if (!hardware.get().equalsIgnoreCase(mark.get().hardware())) {
            marks.delete();
            return tell(output, Owner.SOURCE, "this is other hardware than the machine was moved"
                    + " from: it arrived");
        }
        TargetWord.Answer answer = ask(mark.get());
        if (answer.owner() == Owner.SOURCE) {
            marks.delete();
            return tell(output, Owner.SOURCE, "the target " + mark.get().peer()
                    + " gave it back: " + answer.said());
        }
        if (answer.owner() != Owner.TARGET) {
            return doubt(output, "nobody can tell whether this machine was moved to "
                    + mark.get().peer() + " (" + answer.said() + ")");
        }
        tell(output, Owner.TARGET, "this machine was moved to " + mark.get().peer() + " and runs"
                + " there: it stays down here. Where that one is given up: " + WAY_OUT);
        return TARGET_OWNS;
    }

    private static int doubt(Output output, String why) {
        tell(output, Owner.UNKNOWN, why + ": it stays down. When it is certain that no other"
                + " one runs it ever: " + WAY_OUT);
        return IN_DOUBT;
    }

    /** Looks whether what was given makes sense. */
    void requireSense() {
        if (source != fenced) {
            throw new UsageException("--source takes the machine back, which is right only when the"
                    + " target can never run it: say --source --target-is-fenced, both or none");
        }
        if (from != null && !from.matches("[\\w.-]{1,15}=[0-9a-fA-F.:]+/\\d{1,3}"
                + "(,[0-9a-fA-F.:]+)?")) {
            throw new UsageException("--from " + from + ": write NAME=ADDRESS/BITS[,GATEWAY], for"
                    + " example ens8=10.0.0.9/24,10.0.0.1");
        }
        Quantity.nanos(window);
    }

    private TargetWord.Answer ask(MoveMark.Mark mark) throws IOException {
        PeerTrust peers = trust.trust();
        SocketConnector connector = new SocketConnector(Addresses.parse("the target's address",
                mark.peer(), peers.tls(), insecure), peers, Optional.empty());
        try {
            TemporaryAddress address = TemporaryAddress.set(new ProgramRunner(), from);
            try {
                return TargetWord.ask(connector, mark.migration(), Quantity.nanos(window));
            } finally {
                address.close();
            }
        } catch (IOException e) {
            return new TargetWord.Answer(Owner.UNKNOWN, e.getMessage());
        }
    }

    private static int tell(Output output, Owner owner, String message) {
        output.emit(Output.event("boot-check").put("owner", owner.label())
                .put("message", message));
        output.human(message);
        return 0;
    }
}
