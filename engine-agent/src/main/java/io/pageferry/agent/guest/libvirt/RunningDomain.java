package io.pageferry.agent.guest.libvirt;

import io.pageferry.agent.host.linux.libvirt.LibvirtConnection;
import io.pageferry.agent.host.linux.libvirt.LibvirtDomain;
import io.pageferry.agent.host.linux.libvirt.LibvirtException;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * A whole domain at the target, which our word lets run, also where the daemon is restarted
 * meanwhile. One thread.
 */
final class RunningDomain {
    /** A daemon that is restarted looks at all its domains first. */
    private static final long RETURN_NANOS = 30_000_000_000L;
    /** libvirt itself waits 30 s for a job that is in the way. */
    private static final Duration CALL = Duration.ofSeconds(40);
    private static final long RETRY_NANOS = 50_000_000;

    private final LibvirtUri uri;
    /** Whether the guest may have run by a word of which nobody heard what became. */
    private boolean mayHaveRun;

    /**
     * Makes one that does nothing yet.
     *
     * @param uri        the domain
     * @param mayHaveRun whether somebody may have let it run before
     */
    RunningDomain(LibvirtUri uri, boolean mayHaveRun) {
        this.uri = uri;
        this.mayHaveRun = mayHaveRun;
    }

    /**
     * Lets it run.
     *
     * @throws GuestException where it does not run, with {@link GuestException#neverRan} where
     *                        that is certain
     */
    void resume() throws GuestException {
        long deadline = System.nanoTime() + RETURN_NANOS;
        while (true) {
            GuestException refused = LibvirtUri.within(CALL, this::attempt);
            if (refused == null) {
                return;
            }
            if (!refused.mayRetry() || System.nanoTime() - deadline > 0) {
                throw refused;
            }
            LockSupport.parkNanos(RETRY_NANOS);
        }
    }

    /** Returns nothing where it runs. */
    private GuestException attempt() {
        try (LibvirtConnection connection = LibvirtConnection.open(uri.connect());
                LibvirtDomain domain = connection.domain(uri.domain())) {
            return attempt(domain);
        } catch (LibvirtException e) {
            if (e.isNoDomain()) {
                return new GuestException(ErrorCode.GUEST_FAILED, "the domain " + uri.domain()
                        + " is not there any more", "");
            }
            return LibvirtIncoming.failed(e).retryable();
        }
    }

    private GuestException attempt(LibvirtDomain domain) throws LibvirtException {
        if (domain.isRunning()) {
            return null;
        }
        try {
            domain.resume();
            return null;
        } catch (LibvirtException e) {
            if (e.isConnectionLost()) {
                mayHaveRun = true;
            }
            if (e.isConnectionLost() || e.isBusy()) {
                return LibvirtIncoming.failed(e).retryable();
            }
            GuestException refused = LibvirtIncoming.failed(e);
            return domain.isPaused() && !mayHaveRun ? refused.provablyNeverRan() : refused;
        }
    }
}
