package io.pageferry.agent.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.cli.option.MigrateOptions;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.report.Output;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pageferry limits ID …}: other limits for a move that is under way. */
@Command(name = "limits",
        description = "changes what bounds a move that is under way")
public final class LimitsCommand implements Callable<Integer> {
    private static final List<String> CHANGEABLE = List.of("--bandwidth", "--max-downtime",
            "--throttle", "--max-stolen", "--on-no-convergence", "--timeout");

    @Parameters(paramLabel = "ID", description = "of a migration, as pageferry status names it")
    private String migration;

    @Mixin
    private AgentArguments api;

    @Mixin
    private CommonOptions common;

    private CommandSpec spec;

    /** Made by the command line. */
    public LimitsCommand() {
    }

    /** Adds options of {@code migrate}, as they are declared there. */
    @Spec
    void spec(CommandSpec command) {
        spec = command;
        CommandSpec migrate = CommandSpec.forAnnotatedObject(new MigrateOptions());
        CHANGEABLE.forEach(name -> command.addOption(migrate.findOption(name)));
    }

    @Override
    public Integer call() throws IOException {
        String id = ApiArguments.migration(migration);
        ObjectNode given = GivenOptions.of(spec, true);
        if (given.isEmpty()) {
            throw new UsageException("limits of " + id + ": name one or more of "
                    + String.join(", ", CHANGEABLE));
        }
        JsonNode limits = api.required().call("PATCH", "/v1/migrations/" + id, given)
                .path("limits");
        Output output = common.output();
        output.emit(Output.event("limits").put("migration", id).setAll((ObjectNode) limits));
        if (!output.isJson()) {
            limits.properties().forEach(one -> output.human(one.getKey() + " "
                    + one.getValue().asText("none")));
        }
        return 0;
    }
}
