package io.pageferry.agent.cli;

import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.report.Output;
import io.pageferry.core.migration.GuestException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code pageferry check GUEST}: what can move it and what stands in the way. */
@Command(name = "check", description = "what can move a guest, and what stands in the way")
final class CheckCommand implements Callable<Integer> {
    private static final int REFUSED = 3;

    @Parameters(paramLabel = "GUEST")
    private String guest;

    @Mixin
    private CommonOptions common;

    @Override
    public Integer call() {
        Output output = common.output();
        GuestUri uri = GuestUri.parse(guest);
        try {
            List<String> lines = GuestKinds.of(uri).inspect(uri);
            lines.forEach(line -> output.emit(Output.event("check").put("message", line)));
            lines.forEach(output::human);
            return lines.stream().anyMatch(line -> line.startsWith("refused")) ? REFUSED : 0;
        } catch (GuestException unreachable) {
            output.note("pageferry: " + unreachable.getMessage() + "; " + unreachable.remedy());
            return REFUSED;
        }
    }
}
