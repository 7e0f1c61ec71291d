package io.pageferry.agent.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.cli.exit.CommandExit;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.cli.option.MigrateOptions;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.demo.AgentProcess;
import io.pageferry.agent.demo.DemoGuests;
import io.pageferry.agent.demo.DemoTools;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.report.ReportText;
import io.pageferry.core.words.Quantity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code pageferry demo}: two agents as processes of their own, and a guest that moves. */
@Command(name = "demo", description = "moves a working guest between two agents on this machine")
final class DemoCommand implements Callable<Integer> {
    private static final int REFUSED = 3;

    @Option(names = "--guest", paramLabel = "workload|qemu", description = "default workload")
    private String guest = "workload";

    @Option(names = "--kernel", paramLabel = "FILE", description = "a Linux kernel for qemu;"
            + " default: the newest in /boot")
    private Path kernel;

    @Option(names = "--memory", paramLabel = "SIZE", description = "default 1GiB")
    private String memory = "1GiB";

    @Option(names = "--working-set", paramLabel = "SIZE",
            description = "default 256MiB, for qemu 64MiB: it fills that under emulation")
    private String workingSet;

    @Option(names = "--dirty-rate", paramLabel = "RATE",
            description = "default 100MiB/s, for qemu 8MiB/s")
    private String dirtyRate;

    @Option(names = {"--tls-cert", "--tls-key", "--tls-ca"}, hidden = true)
    private List<String> tls = new ArrayList<>();

    @Mixin
    private MigrateOptions options;

    @Mixin
    private CommonOptions common;

    @Override
    public Integer call() throws IOException {
        // Both kinds of its guests take the same options.
        options.sourceOptions(GuestUri.parse("workload:8MiB"));
        Output output = common.output();
        Path folder = Files.createTempDirectory("pageferry-demo");
        try (DemoGuests guests = guests(folder, output)) {
            Thread main = Thread.currentThread();
            CommandExit.onStop(() -> {
                guests.stopSource();
                main.setName("stopping");
            });
            return move(guests, folder, output);
        } catch (DemoTools.MissingException e) {
            output.note("pageferry: " + e.getMessage());
            return REFUSED;
        } finally {
            delete(folder);
        }
    }

    private DemoGuests guests(Path folder, Output output) throws IOException {
        long bytes = Quantity.bytes(memory);
        return switch (guest) {
            case "workload" -> DemoGuests.workload(memory, value(workingSet, "256MiB"),
                    value(dirtyRate, "100MiB/s"));
            case "qemu" -> DemoGuests.qemu(kernel, folder, new DemoGuests.Shape(bytes,
                    Quantity.bytes(value(workingSet, "64MiB")),
                    Quantity.bytesPerSecond(value(dirtyRate, "8MiB/s"))), output::note);
            default -> throw new UsageException("--guest " + guest
                    + ": there are workload and qemu");
        };
    }

    private int move(DemoGuests guests, Path folder, Output output) throws IOException {
        List<String> shared = List.of("--json", "--state-dir", folder.toString(), "--linger",
                options.linger());
        List<String> receive = new ArrayList<>(List.of("receive", guests.target(), "--listen",
                "127.0.0.1:0", "--once", "--progress", "none"));
        receive.addAll(shared);
        try (AgentProcess target = AgentProcess.start(List.of(), receive,
                folder.resolve("target.words"))) {
            var listening = target.await("listening", event -> { });
            if (listening == null) {
                output.note(target.words().strip());
                return target.exitCode();
            }
            List<String> migrate = new ArrayList<>(List.of("migrate", guests.source(), "--to",
                    listening.path("address").asText()));
            migrate.addAll(options.arguments());
            migrate.addAll(List.of("--audit", "--json", "--state-dir", folder.toString()));
            List<String> jvm = CommonOptions.terminal()
                    ? List.of("-D" + CommonOptions.TERMINAL + "=true") : List.of();
            try (AgentProcess source = AgentProcess.start(jvm, migrate, null)) {
                guests.source(source);
                source.await("report", event -> {
                    if (!event.path("event").asText().equals("report")) {
                        output.emit(event);
                    }
                });
                return end(guests, source, target, output);
            }
        }
    }

    private static int end(DemoGuests guests, AgentProcess source, AgentProcess target,
            Output output) throws IOException {
        ObjectNode report = source.report();
        int code = source.exitCode();
        if (report == null) {
            output.note("pageferry: the source agent ended without a report");
            return code;
        }
        target.await("report", event -> { });
        target.exitCode();
        guests.check(report, target.report());
        output.emit(report);
        if (!output.isJson()) {
            ReportText.of(report).forEach(output::human);
        }
        return code;
    }

    private static String value(String given, String otherwise) {
        return given == null ? otherwise : given;
    }

    private static void delete(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
        }
        Files.deleteIfExists(folder);
    }
}
