package io.pageferry.agent.cli;

import io.pageferry.agent.capture.Capture;
import io.pageferry.agent.cli.option.Addresses;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.cli.option.DomainArguments;
import io.pageferry.agent.cli.option.MigrateOptions;
import io.pageferry.agent.cli.option.TrustArguments;
import io.pageferry.agent.cli.option.UsageException;
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
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pageferry receive GUEST --listen ADDRESS}. */
@Command(name = "receive", description = "takes a guest in")
final class ReceiveCommand implements Callable<Integer> {
    @Parameters(paramLabel = "GUEST",
            description = "workload:SIZE, kvm:SIZE, qemu:/path/to/qmp.sock, libvirt:DOMAIN"
            + " or image:/path/file")
    private String guest;

    @Option(names = "--listen", required = true, paramLabel = "HOST:PORT|unix:PATH",
            description = "port 0 lets the host choose; a unix socket is for this host's own user"
            + " and root")
    private String listen;

    @Option(names = "--once", description = "end after one migration")
    private boolean once;

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

    @Override
    public Integer call() {
        requireActivatable();
        return Recording.around(capture, Capture.Side.TARGET, common,
                sink -> run(common.output(), sink));
    }

    private AgentResult run(Output output, Optional<CaptureSink> sink) {
        PeerTrust peers = trust.trust();
        TargetOptions defaults = TargetOptions.defaults();
        ReceiveSettings settings = new ReceiveSettings(GuestFactory.target(
                domain.guest(guest, "persistent", persistent)),
                Listener.at(Addresses.parse("--listen", listen, peers.tls(), insecure), peers,
                        sink), once, prealloc,
                new TargetOptions(defaults.window(), defaults.grantNanos(),
                        Quantity.nanos(settleWindow), defaults.channels(),
                        Quantity.nanos(reconnectWindow)),
                common.stateDirectory(), Quantity.nanos(linger), activate);
        MigrationView view = new MigrationView(output, progress,
                CommonOptions.terminal(), System::nanoTime);
        TargetAgent agent = new TargetAgent(settings, Listeners.after(view),
                address -> {
                    view.opened();
                    listening(output, address);
                },
                result -> Ending.of(output, common.verbose(), result));
        Main.onStop(agent::cancel);
        view.opening(guest);
        try {
            return agent.run();
        } finally {
            view.opened();
        }
    }

    private void requireActivatable() {
        if (activate == null) {
            return;
        }
        if (!guest.startsWith("image:")) {
            throw new UsageException("--activate is for image: targets; what is received as "
                    + guest + " runs by itself");
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
