package io.pageferry.agent.cli;

import io.pageferry.agent.cli.option.Addresses;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.cli.option.TrustArguments;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.cli.remote.AgentChoice;
import io.pageferry.agent.cli.remote.RemoteStatus;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.link.PeerTrust;
import io.pageferry.agent.link.SocketConnector;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.state.settle.Settler;
import io.pageferry.core.words.Quantity;
import java.io.IOException;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pageferry settle MIGRATION}. */
@Command(name = "settle", description = "asks the other side again, or takes an operator's word")
final class SettleCommand implements Callable<Integer> {
    @Parameters(paramLabel = "MIGRATION", description = "as pageferry status names it")
    private String migration;

    @Option(names = "--source", description = "the guest belongs to the source")
    private boolean source;

    @Option(names = "--target", description = "the guest belongs to the target")
    private boolean target;

    @Option(names = "--target-is-fenced",
            description = "the target is certain never to run the guest: it is off or cut off")
    private boolean fenced;

    @Option(names = "--insecure", description = "ask other than loopback addresses")
    private boolean insecure;

    @Option(names = "--settle-window", paramLabel = "TIME", description = "default 30s")
    private String settleWindow = "30s";

    @Mixin
    private TrustArguments trust;

    @Mixin
    private CommonOptions common;

    @Mixin
    private AgentChoice choice;

    @Override
    public Integer call() throws IOException {
        if (source && target) {
            throw new UsageException("--source and --target contradict each other");
        }
        if (source != fenced) {
            throw new UsageException("--source takes the guest back, which is right only when the "
                    + "target can never run it: say --source --target-is-fenced, both or none");
        }
        UUID id;
        try {
            id = UUID.fromString(migration);
        } catch (IllegalArgumentException e) {
            throw new UsageException("'" + migration + "' is no migration: pageferry status names"
                    + " them");
        }
        PeerTrust peers = trust.trust();
        Output output = common.output();
        Optional<ApiClient> agent = common.stateDirectory() == null ? choice.agent(trust)
                : Optional.empty();
        if (agent.isPresent()) {
            return new RemoteStatus(agent.get(), output).settle(id.toString(),
                    source ? "source" : target ? "target" : "", fenced);
        }
        Settler settler = new Settler(common.stateDirectory(id), id,
                Quantity.nanos(settleWindow),
                peer -> Addresses.isAddress(peer) ? new SocketConnector(
                        Addresses.parse("the journal's peer", peer, peers.tls(), insecure), peers,
                        Optional.empty()) : null);
        Settler.Verdict verdict = source ? settler.fenced() : target ? settler.givenUp()
                : settler.ask();
        output.emit(Output.event("settled").put("migration", migration)
                .put("owner", verdict.owner().label()).put("message", verdict.message()));
        output.human(verdict.message());
        return verdict.result().exitCode();
    }
}
