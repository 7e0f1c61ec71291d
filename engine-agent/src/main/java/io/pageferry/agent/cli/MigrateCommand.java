package io.pageferry.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.capture.Capture;
import io.pageferry.agent.cli.exit.CommandExit;
import io.pageferry.agent.cli.option.Addresses;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.cli.option.DiskArguments;
import io.pageferry.agent.cli.option.DomainArguments;
import io.pageferry.agent.cli.option.MigrateOptions;
import io.pageferry.agent.cli.option.TrustArguments;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.cli.remote.AgentChoice;
import io.pageferry.agent.cli.remote.RemoteMove;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.client.ApiException;
import io.pageferry.agent.client.UnansweredException;
import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.link.PeerTrust;
import io.pageferry.agent.link.SocketConnector;
import io.pageferry.agent.report.Listeners;
import io.pageferry.agent.report.MigrationView;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.report.ProgressMode;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.agent.session.MigrateSettings;
import io.pageferry.agent.session.SourceSession;
import io.pageferry.agent.session.disk.FanOut;
import io.pageferry.core.words.Quantity;
import io.pageferry.transport.netty.CaptureSink;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pageferry migrate GUEST --to ADDRESS}. */
@Command(name = "migrate", description = "moves a running guest to a target agent")
final class MigrateCommand implements Callable<Integer> {
    @Parameters(paramLabel = "GUEST", description = "workload:SIZE, kvm:SIZE,"
            + " qemu:/path/to/qmp.sock, libvirt:DOMAIN, disk:PATH, machine: or"
            + " process:PID")
    private String guest;

    @Option(names = "--to", required = true, paramLabel = "HOST:PORT|unix:PATH",
            description = "where pageferry receive listens; of a disk that nobody writes to given"
            + " several times: a copy for each")
    private List<String> targets;

    @Option(names = "--undefine-source", description = "of a libvirt: guest: the source's libvirt"
            + " forgets it after the move")
    private boolean undefineSource;

    @Mixin
    private DomainArguments domain;

    @Mixin
    private DiskArguments disk;

    @Mixin
    private MigrateOptions options;

    @Mixin
    private TrustArguments trust;

    @Mixin
    private CommonOptions common;

    @Mixin
    private AgentChoice choice;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws ApiException {
        Output output = common.output();
        if (targets.size() > 1) {
            return copies(output);
        }
        Optional<ApiClient> agent = choice.agent(trust);
        if (agent.isPresent()) {
            return through(agent.get(), output);
        }
        return Recording.around(options.capture(), Capture.Side.SOURCE, common,
                capture -> run(output, capture));
    }

    private int through(ApiClient agent, Output output) {
        RemoteMove remote = new RemoteMove(agent, output,
                options.progress() != ProgressMode.NONE);
        JsonNode move;
        try {
            move = remote.begin(guest, targets.getFirst(), options.slot(), spec);
        } catch (UnansweredException e) {
            return Ending.lost(output, "ID, by the ID that pageferry status shows", e);
        } catch (IOException e) {
            return Ending.refused(output, e);
        }
        try {
            return remote.follow(move, CommandExit::onStop);
        } catch (IOException e) {
            return Ending.lost(output, move.path("id").asText(), e);
        }
    }

    private AgentResult run(Output output, Optional<CaptureSink> capture) {
        GuestUri uri = guest();
        MigrationView view = view(output, options.progress());
        SourceSession agent = new SourceSession(settings(uri, targets.getFirst(), capture),
                Listeners.after(view));
        CommandExit.onStop(agent::cancel);
        view.opening(guest);
        try {
            return agent.run();
        } finally {
            view.opened();
        }
    }

    private GuestUri guest() {
        return disk.of(domain.guest(guest, "undefine-source", undefineSource));
    }

    private static MigrationView view(Output output, ProgressMode mode) {
        return new MigrationView(output, mode, CommonOptions.terminal(), System::nanoTime);
    }

    private MigrateSettings settings(GuestUri uri, String target, Optional<CaptureSink> capture) {
        GuestKind kind = GuestKinds.of(uri);
        PeerTrust peers = trust.trust();
        return new MigrateSettings(disk.source(uri),
                new SocketConnector(Addresses.parse("--to", target, peers.tls(),
                        options.insecure()), peers, capture),
                options.tracker(), options.sourceOptions(uri), disk.after(options.after(kind)),
                options.copyStorage(), common.stateDirectory(kind),
                Quantity.nanos(options.linger()),
                options.slot());
    }

    /** One read of the disk, a session for each target. There is no bar: it would be several. */
    private int copies(Output output) {
        GuestUri uri = guest();
        requireCopies(uri);
        ProgressMode mode = options.progress() == ProgressMode.AUTO ? ProgressMode.PLAIN
                : options.progress();
        List<FanOut.Copy> copies = targets.stream().map(target -> new FanOut.Copy(
                settings(uri, target, Optional.empty()),
                Listeners.after(view(output.about(target), mode)))).toList();
        FanOut all = new FanOut(uri, copies);
        CommandExit.onStop(all::cancel);
        return Ending.of(output, common.verbose(), targets, all.run());
    }

    private void requireCopies(GuestUri uri) {
        if (options.capture() != null) {
            throw new UsageException("--capture is for one --to");
        }
        if (targets.stream().distinct().count() < targets.size()) {
            throw new UsageException("--to names one target twice");
        }
        if (!uri.scheme().equals("disk")) {
            throw new UsageException("several --to are for disk: guests; " + guest
                    + " has one owner: name one target");
        }
        if (!GuestKinds.of(uri).standsStill(uri)) {
            throw new UsageException("a file system on " + guest + " is mounted: several --to are"
                    + " for disks that nobody writes to; unmount it, or copy it to one after"
                    + " another with --after thaw --as-copy");
        }
    }
}
