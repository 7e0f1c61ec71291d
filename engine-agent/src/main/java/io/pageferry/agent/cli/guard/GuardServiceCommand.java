package io.pageferry.agent.cli.guard;

import io.pageferry.agent.cli.exit.CommandExit;
import io.pageferry.agent.cli.option.Addresses;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.host.linux.process.ServiceManager;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.state.guard.GuardService;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code pageferry guard-service}: serves until it is stopped. */
@Command(name = "guard-service", description = "the guards of all agents of this host and user, in"
        + " one process that stays")
public final class GuardServiceCommand implements Callable<Integer> {
    /** A recovery waits half a minute at most for what another process holds. */
    private static final Duration FINISH = CommandExit.STOP.minusSeconds(10);

    @Option(names = "--guard", paramLabel = "unix:PATH", description = "where agents find it,"
            + " default " + GuardService.USUAL)
    private String guard = GuardService.USUAL;

    @Mixin
    private CommonOptions common;

    private final ServiceManager manager = ServiceManager.of(System.getenv());
    private Output output;
    private volatile boolean stopping;

    @Override
    public Integer call() throws IOException {
        if (!(Addresses.parse("--guard", guard, Optional.empty(), false)
                instanceof UnixDomainSocketAddress at)) {
            throw new UsageException("--guard " + guard + ": write unix:PATH");
        }
        makeFolder(at.getPath().toAbsolutePath().getParent());
        output = common.output();
        GuardService service = GuardService.open(at.getPath(),
                line -> output.note("pageferry: " + line));
        CommandExit.onStop(service::close);
        output.emit(Output.event("ready").put("guard", guard));
        if (!output.isJson()) {
            output.human("guards at " + guard);
        }
        tell("READY=1\nSTATUS=guards");
        manager.watchdog().ifPresent(time -> Thread.ofPlatform().daemon().name("watchdog")
                .start(() -> feed(service, time.toNanos() / 3)));
        service.serve();
        finish(service);
        return 0;
    }

    /** It is fed as long as an agent that comes gets a guard; at the end, as long as it lasts. */
    private void feed(GuardService service, long nanos) {
        while (true) {
            if (stopping || service.isAnswering()) {
                tell("WATCHDOG=1");
            }
            LockSupport.parkNanos(nanos);
        }
    }

    /** Agents that come find none from now on, and start guards of their own. */
    private void finish(GuardService service) {
        stopping = true;
        tell("STOPPING=1\nSTATUS=finishes what agents began that are gone");
        List<String> left = service.awaitFinished(FINISH.toNanos());
        if (!left.isEmpty()) {
            output.note("warning  this guard service ends, and has not finished "
                    + String.join(", ", left) + ": the agent does when it starts, or pageferry"
                    + " settle");
        }
    }

    private void tell(String state) {
        manager.tell(state, output::note);
    }

    /** Of the usual place, which is gone after a boot. */
    private static void makeFolder(Path folder) throws IOException {
        if (!Files.exists(folder) && Files.isDirectory(folder.getParent())) {
            Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(
                    PosixFilePermissions.fromString("rwxr-xr-x")));
        }
    }
}
