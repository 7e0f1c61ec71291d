package io.pageferry.agent.cli;

import io.pageferry.agent.capture.Capture;
import io.pageferry.agent.cli.exit.CommandExit;
import io.pageferry.agent.cli.option.Addresses;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.cli.option.DomainArguments;
import io.pageferry.agent.cli.option.MigrateOptions;
import io.pageferry.agent.cli.option.TrustArguments;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.cli.remote.AgentChoice;
import io.pageferry.agent.cli.remote.RemoteStatus;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.qemu.start.StartedQemu;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.link.PeerTrust;
import io.pageferry.agent.report.Listeners;
import io.pageferry.agent.report.MigrationView;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.report.ProgressMode;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.agent.session.GuestFactory;
import io.pageferry.agent.session.ReceiveSettings;
import io.pageferry.agent.session.TargetAgent;
import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.words.Quantity;
import io.pageferry.transport.netty.CaptureSink;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pageferry receive GUEST --listen ADDRESS}. */
@Command(name = "receive", description = "takes a guest in")
final class ReceiveCommand implements Callable<Integer> {
    private static final String MACHINE = "machine:";

    @Parameters(paramLabel = "GUEST", arity = "0..1",
            description = "workload:SIZE, kvm:SIZE, qemu:/path/to/qmp.sock, libvirt:DOMAIN"
            + ", disk:PATH, machine:DIR or image:/path/file; none with --start FILE")
    private String guest;

    @Option(names = "--listen", paramLabel = "HOST:PORT|unix:PATH",
            description = "port 0 lets the host choose; a unix socket is for this host's own user"
            + " and root; without it the agent of this host opens a --slot")
    private String listen;

    @Option(names = "--once", description = "end after one migration")
    private boolean once;

    @Option(names = "--start", arity = "0..1", paramLabel = "FILE", fallbackValue = "",
            description = "starts the target's QEMU, as a file says that pageferry describe printed"
            + " at the source; nobody else may write to it. Of machine:DIR without a FILE: boots it"
            + " once it is here")
    private String start;

    @Option(names = "--prealloc", description = "make the memory resident before listening")
    private boolean prealloc;

    @Option(names = "--linger", paramLabel = "TIME",
            description = "with --once: how long an embedded guest runs here, default 2s")
    private String linger = "2s";

    @Option(names = "--settle-window", paramLabel = "TIME", description = "default 30s")
    private String settleWindow = "30s";

    @Option(names = "--reconnect-window", paramLabel = "TIME",
            description = "how long an image is kept for a source whose link is lost, default 30s")
    private String reconnectWindow = "30s";

    @Option(names = "--progress", paramLabel = "auto|plain|none")
    private ProgressMode progress = ProgressMode.AUTO;

    @Option(names = "--insecure", description = "listen on other than loopback addresses")
    private boolean insecure;

    @Option(names = "--slot", paramLabel = "NAME", description = "names the place for the guest:"
            + " a source that names another one is refused")
    private String slot = "";

    @Option(names = "--capture", paramLabel = "FILE", description = MigrateOptions.CAPTURE)
    private Path capture;

    @Option(names = "--activate", paramLabel = "CMD", description = "of an image: a command of the"
            + " shell that takes over once it is complete; PAGEFERRY_IMAGE and its like say where"
            + " it is")
    private String activate;

    @Option(names = "--persistent", description = "of a libvirt: guest: it stays defined here")
    private boolean persistent;

    @Mixin
    private DomainArguments domain;

    @Mixin
    private TrustArguments trust;

    @Mixin
    private CommonOptions common;

    @Mixin
    private AgentChoice choice;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (listen == null) {
            return openSlot();
        }
        GuestUri uri = guest();
        requireActivatable(uri);
        slot = MigrateOptions.slotName(slot);
        return Recording.around(capture, Capture.Side.TARGET, common,
                sink -> run(uri, common.output(), sink));
    }

    /** The agent listens already. */
    private int openSlot() throws IOException {
        if (choice.isStandalone() || slot.isEmpty() || guest == null) {
            throw new UsageException("receive where? --listen HOST:PORT, or GUEST --slot NAME for a"
                    + " place that the agent of this host opens");
        }
        new RemoteStatus(choice.required(trust), common.output())
                .open(MigrateOptions.slotName(slot), guest, spec);
        return 0;
    }

    private GuestUri guest() {
        if (start == null && guest == null) {
            throw new UsageException("receive which guest? name one, or --start FILE");
        }
        if (start == null || !startsMachine()) {
            if (start != null && start.isEmpty()) {
                throw new UsageException("--start wants a FILE, as pageferry describe prints it;"
                        + " without one it is for machine:DIR");
            }
            if (start != null && guest != null) {
                throw new UsageException("--start says what is started: leave " + guest + " out");
            }
            return start == null ? domain.guest(guest, "persistent", persistent)
                    : StartedQemu.place();
        }
        return domain.guest(guest, "persistent", persistent).with("start", "");
    }

    /** It is told from a FILE by its guest, which may stand where a FILE would. */
    private boolean startsMachine() {
        if (guest == null && start.startsWith(MACHINE)) {
            guest = start;
            start = "";
        }
        return start.isEmpty() && guest != null && guest.startsWith(MACHINE);
    }

    /** A file of this host's operator, or null. */
    private Path startFile() {
        return start == null || start.isEmpty() ? null : Path.of(start);
    }

    private AgentResult run(GuestUri uri, Output output, Optional<CaptureSink> sink) {
        PeerTrust peers = trust.trust();
        TargetOptions defaults = TargetOptions.defaults();
        ReceiveSettings settings = new ReceiveSettings(GuestFactory.target(uri),
                Listener.at(Addresses.parse("--listen", listen, peers.tls(), insecure), peers,
                        sink), once, prealloc,
                new TargetOptions(defaults.window(), defaults.grantNanos(),
                        Quantity.nanos(settleWindow), defaults.channels(),
                        Quantity.nanos(reconnectWindow)),
                common.stateDirectory(), Quantity.nanos(linger), activate,
                startFile());
        MigrationView view = new MigrationView(output, progress,
                CommonOptions.terminal(), System::nanoTime);
        TargetAgent agent = new TargetAgent(slot, settings, Listeners.after(view),
                address -> {
                    view.opened();
                    listening(output, address);
                },
                result -> Ending.of(output, common.verbose(), result));
        CommandExit.onStop(agent::cancel);
        view.opening(startFile() == null ? guest : "--start " + start);
        try {
            return agent.run();
        } finally {
            view.opened();
        }
    }

    private void requireActivatable(GuestUri uri) {
        if (activate == null) {
            return;
        }
        if (!uri.scheme().equals("image")) {
            throw new UsageException("--activate is for image: targets; what is received as "
                    + uri.text() + " runs by itself");
        }
        if (activate.isBlank()) {
            throw new UsageException("--activate wants a command of the shell");
        }
    }

    private static void listening(Output output, SocketAddress address) {
        String text = Addresses.text(address);
        output.emit(Output.event("listening").put("address", text));
        if (!output.isJson()) {
            output.human("listening on " + text);
        }
    }
}
