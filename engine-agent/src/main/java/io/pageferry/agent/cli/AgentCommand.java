package io.pageferry.agent.cli;

import io.pageferry.agent.cli.call.CallWords;
import io.pageferry.agent.cli.call.ConfigFile;
import io.pageferry.agent.cli.option.Addresses;
import io.pageferry.agent.cli.option.Choice;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.cli.option.MigrateOptions;
import io.pageferry.agent.cli.option.TrustArguments;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.daemon.DaemonSettings;
import io.pageferry.agent.daemon.store.HistoryLimits;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.link.PeerTrust;
import io.pageferry.agent.link.Refusals;
import io.pageferry.agent.link.api.PortApi;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.trust.JoinDesk;
import io.pageferry.agent.trust.TrustFolder;
import io.pageferry.core.words.Quantity;
import io.pageferry.transport.netty.tls.TlsContexts.OtherProtocols;
import io.pageferry.transport.netty.tls.TlsException;
import io.pageferry.transport.netty.tls.TlsFiles;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine;

/** {@code pageferry agent}: serves every move of this host until it is stopped. */
@Command(name = "agent", description = "serves every move of this host, both ways, and an API")
final class AgentCommand implements Callable<Integer> {
    private static final Path GUESTS = Path.of("/etc/pageferry/guests.json");

    @Option(names = "--listen", paramLabel = "HOST:PORT|unix:PATH",
            description = "where guests come in, default 127.0.0.1:4477, and with a certificate in"
                    + " --trust-dir 0.0.0.0:4477")
    private String listen;

    @Option(names = "--api", paramLabel = "unix:PATH",
            description = "where the API is, default unix:/run/pageferry/api.sock")
    private String api = "unix:/run/pageferry/api.sock";

    @Option(names = "--config", paramLabel = "FILE", description = "these options, one a line as"
            + " listen = HOST:PORT, which those given here override; guests.json beside it is the"
            + " address book")
    private Path config;

    @Option(names = "--trust-dir", paramLabel = "DIR", description = "folder of pageferry trust:"
            + " once this host's certificate is there, TLS without --tls-cert, --tls-key and"
            + " --tls-ca; where the CA's key is there, others can join by this agent")
    private Path trustFolder;

    @Option(names = "--max-parallel", paramLabel = "N",
            description = "moves out at a time, default 4; the others wait")
    private int maxParallel = 4;

    @Option(names = "--bandwidth", paramLabel = "RATE",
            description = "that all moves out share, each an equal part")
    private String bandwidth;

    @Option(names = "--history", paramLabel = "DAYS/SIZE",
            description = "reports that are kept, default " + HistoryLimits.DEFAULT)
    private String history = HistoryLimits.DEFAULT;

    @Option(names = "--settle-window", paramLabel = "TIME",
            description = "longest wait at the start for what another host knows, default 5s")
    private String settleWindow = "5s";

    @Option(names = "--metrics", paramLabel = "HOST:PORT",
            description = "where Prometheus finds /metrics without more, of the loopback alone")
    private String metrics;

    @Option(names = "--wait", description = "when stopped, wait for moves instead of a cancel")
    private boolean wait;

    @Option(names = "--insecure", description = "accept other than loopback addresses")
    private boolean insecure;

    @Mixin
    private TrustArguments trust;

    @Mixin
    private CommonOptions common;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (config != null) {
            AgentCommand merged = merged();
            merged.config = null;
            return merged.serve(config.toAbsolutePath().resolveSibling("guests.json"));
        }
        return serve(GUESTS);
    }

    /** Of an option that is in both, the last one counts. */
    private AgentCommand merged() {
        AgentCommand merged = new AgentCommand();
        CommandLine line = new CommandLine(merged).setOverwrittenOptionsAllowed(true);
        Choice.register(line);
        List<String> arguments = new ArrayList<>(ConfigFile.arguments(config, spec));
        List<String> given = spec.commandLine().getParseResult().originalArgs();
        arguments.addAll(given.subList(given.indexOf(spec.name()) + 1, given.size()));
        line.parseArgs(arguments.toArray(String[]::new));
        return merged;
    }

    private int serve(Path guests) throws IOException {
        Optional<TrustFolder> own = Optional.ofNullable(trustFolder).map(TrustFolder::new)
                .filter(folder -> folder.hasOwn() && !trust.hasFiles());
        PeerTrust peers = trust.trust(own.map(AgentCommand::read));
        Output output = common.output();
        if (trustFolder != null && own.isEmpty() && !trust.hasFiles()) {
            output.note("note     no certificate of this host is in " + trustFolder
                    + " yet (pageferry trust init or join): no TLS");
        }
        Optional<PortApi> port = peers.tls().map(tls -> new PortApi(tls.allowed(),
                own.filter(TrustFolder::hasCa).map(folder -> new JoinDesk(folder, output::note,
                        Refusals.loggedTo(output::note, System::nanoTime))),
                thrown -> output.note("warning  a call over TLS broke: " + thrown)));
        String at = listen != null ? listen : own.isPresent() ? "0.0.0.0:4477" : "127.0.0.1:4477";
        if (maxParallel < 1) {
            throw new UsageException("--max-parallel " + maxParallel + " is less than 1");
        }
        DaemonSettings settings = new DaemonSettings(common.stateDirectory(), Listener.at(
                Addresses.parse("--listen", at, peers.tls(), insecure), peers,
                Optional.empty(), port.map(PortApi::protocols).orElse(OtherProtocols.none())),
                maxParallel, rate(), HistoryLimits.parse(history), guests,
                Quantity.nanos(settleWindow), peers);
        return new AgentService(output, settings, new CallWords(peers, insecure),
                new AgentService.Places(api(), metrics(), port)).run(wait);
    }

    private static TlsFiles read(TrustFolder folder) {
        try {
            folder.own().read();
            return folder.own();
        } catch (TlsException e) {
            throw new UsageException("--trust-dir: " + e.getMessage());
        }
    }

    private Optional<InetSocketAddress> metrics() {
        if (metrics == null) {
            return Optional.empty();
        }
        if (Addresses.parse("--metrics", metrics, Optional.empty(), false)
                instanceof InetSocketAddress address) {
            return Optional.of(address);
        }
        throw new UsageException("--metrics " + metrics + ": write HOST:PORT");
    }

    private long rate() {
        return bandwidth == null ? 0 : MigrateOptions.rate("--bandwidth", bandwidth);
    }

    private UnixDomainSocketAddress api() {
        if (Addresses.parse("--api", api, Optional.empty(), false)
                instanceof UnixDomainSocketAddress socket) {
            return socket;
        }
        throw new UsageException("--api " + api + ": write unix:PATH");
    }
}
