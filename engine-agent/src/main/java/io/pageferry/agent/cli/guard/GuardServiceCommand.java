package io.pageferry.agent.cli.guard;

import io.pageferry.agent.cli.option.Addresses;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.state.guard.GuardService;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code pageferry guard-service}: serves until it is stopped. */
@Command(name = "guard-service", description = "the guards of all agents of this host and user, in"
        + " one process that stays")
public final class GuardServiceCommand implements Callable<Integer> {
    @Option(names = "--guard", paramLabel = "unix:PATH", description = "where agents find it,"
            + " default " + GuardService.USUAL)
    private String guard = GuardService.USUAL;

    @Mixin
    private CommonOptions common;

    @Override
    public Integer call() throws IOException {
        if (!(Addresses.parse("--guard", guard, Optional.empty(), false)
                instanceof UnixDomainSocketAddress at)) {
            throw new UsageException("--guard " + guard + ": write unix:PATH");
        }
        makeFolder(at.getPath().toAbsolutePath().getParent());
        Output output = common.output();
        GuardService service = GuardService.open(at.getPath(),
                line -> output.note("pageferry: " + line));
        // Its guards' agents start guards of their own then.
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(service::close));
        output.emit(Output.event("ready").put("guard", guard));
        if (!output.isJson()) {
            output.human("guards at " + guard);
        }
        service.serve();
        return 0;
    }

    /** Of the usual place, which is gone after a boot. */
    private static void makeFolder(Path folder) throws IOException {
        if (!Files.exists(folder) && Files.isDirectory(folder.getParent())) {
            Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(
                    PosixFilePermissions.fromString("rwxr-xr-x")));
        }
    }
}
