package io.pageferry.agent.cli.describe;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.StartDescription;
import io.pageferry.agent.report.Output;
import io.pageferry.core.migration.GuestException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/**
 * {@code pageferry describe GUEST}: prints the start file of a target. Ends with 0 where that can
 * be used as it is but for what is the host's, with 3 where something in it has to be decided.
 */
@Command(name = "describe", description = "what a target must be started with, for receive --start")
public final class DescribeCommand implements Callable<Integer> {
    private static final int REFUSED = 3;

    @Parameters(paramLabel = "GUEST", description = "qemu:/path/to/qmp.sock")
    private String guest;

    @Mixin
    private CommonOptions common;

    /** Made by the command line. */
    public DescribeCommand() {
    }

    @Override
    public Integer call() {
        Output output = common.output();
        GuestUri uri = GuestUri.parse(guest);
        try {
            StartDescription description = GuestKinds.of(uri).describe(uri);
            if (output.isJson()) {
                output.emit(event(description));
            } else {
                // The bytes of paths, whatever this terminal's character set is.
                System.out.writeBytes(description.file());
                System.out.flush();
            }
            description.untold().forEach(line -> output.note("pageferry: " + line));
            return description.untold().isEmpty() ? 0 : REFUSED;
        } catch (GuestException e) {
            output.note("pageferry: " + e.getMessage() + "; " + e.remedy());
            return REFUSED;
        }
    }

    private ObjectNode event(StartDescription description) {
        ObjectNode event = Output.event("description").put("guest", guest)
                .put("file", new String(description.file(), StandardCharsets.UTF_8));
        description.arguments().forEach(event.putArray("arguments")::add);
        description.host().forEach(event.putArray("host")::add);
        description.untold().forEach(event.putArray("untold")::add);
        return event;
    }
}
