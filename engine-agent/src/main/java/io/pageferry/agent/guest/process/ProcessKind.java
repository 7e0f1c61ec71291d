package io.pageferry.agent.guest.process;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code process:PID[?map=/path]}: the shared mappings of a process that was not made for it; a
 * source only.
 */
public final class ProcessKind implements GuestKind {
    static final String SCHEME = "process";
    static final String MAP = "map";

    /** The values of {@code --after}; the first is the default. */
    private static final List<After> AFTER = List.of(After.KEEP, After.RESUME, After.QUIT);

    /** Made by the service loader. */
    public ProcessKind() {
    }

    @Override
    public String scheme() {
        return SCHEME;
    }

    @Override
    public List<After> afterwards() {
        return AFTER;
    }

    @Override
    public SourceGuest openSource(GuestUri uri, GuestSetup setup) throws GuestException {
        return ProcessGuest.open(uri, setup);
    }

    @Override
    public TargetGuest openTarget(GuestUri uri, GuestSetup setup) {
        throw new IllegalArgumentException(
                "a process can be a source, never a target: receive image:/path/file");
    }

    @Override
    public Optional<GuestHandle> handle(Map<String, String> recoveryAddress) throws GuestException {
        try {
            return Optional.of(new ProcessGuestHandle(recoveryAddress));
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, e.getMessage(), "mount it");
        }
    }

    @Override
    public boolean outlivesAgent() {
        return true;
    }

    @Override
    public List<Finding> inspect(GuestUri uri) throws GuestException {
        PausedProcess process = PausedProcess.find(uri, true);
        try (Inspection found = Inspection.of(process, uri.parameters().get(MAP))) {
            return found.rows();
        }
    }
}
