package io.pageferry.agent.guest.libvirt;

import io.pageferry.agent.host.linux.libvirt.LibvirtConnection;
import io.pageferry.agent.host.linux.libvirt.LibvirtDomain;
import io.pageferry.agent.host.linux.libvirt.LibvirtException;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.util.concurrent.locks.LockSupport;

/** A whole domain at the target, which only our word lets run. */
final class RunningDomain {
    /** A daemon that is restarted looks at all its domains first. */
    private static final long RETURN_NANOS = 30_000_000_000L;
    private static final long RETRY_NANOS = 50_000_000;

    private RunningDomain() {
    }

    /**
     * Lets it run, also where the daemon is restarted meanwhile.
     *
     * @param uri the domain
     * @throws GuestException where it does not run, with {@link GuestException#neverRan} where it
     *                        stands still as it came
     */
    static void resume(LibvirtUri uri) throws GuestException {
        long deadline = System.nanoTime() + RETURN_NANOS;
        while (true) {
            try (LibvirtConnection connection = LibvirtConnection.open(uri.connect());
                    LibvirtDomain domain = connection.domain(uri.domain())) {
                if (resume(domain)) {
                    return;
                }
            } catch (LibvirtException e) {
                if (e.isNoDomain()) {
                    throw new GuestException(ErrorCode.GUEST_FAILED, "the domain " + uri.domain()
                            + " is not there any more", "");
                }
                if (System.nanoTime() - deadline > 0) {
                    throw LibvirtIncoming.failed(e);
                }
            }
            LockSupport.parkNanos(RETRY_NANOS);
        }
    }

    /** False where it is to be tried again. */
    private static boolean resume(LibvirtDomain domain) throws GuestException, LibvirtException {
        if (domain.isRunning()) {
            return true; // by a word of ours of which we did not hear what became
        }
        try {
            domain.resume();
            return true;
        } catch (LibvirtException e) {
            if (e.isBusy() || e.isConnectionLost()) {
                return false;
            }
            if (domain.isPaused()) {
                throw LibvirtIncoming.failed(e).provablyNeverRan();
            }
            throw e;
        }
    }

    /** Forgets a domain that was defined for a guest that does not come; best effort. */
    static void undefine(LibvirtUri uri) {
        try (LibvirtConnection connection = LibvirtConnection.open(uri.connect());
                LibvirtDomain domain = connection.domain(uri.domain())) {
            domain.undefine();
        } catch (LibvirtException e) {
            // It does not run: virsh undefine forgets it as well.
            return;
        }
    }
}
