package io.pageferry.agent.guest.qemu;

import io.pageferry.agent.guest.qemu.disk.DiskLockHolders;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;

/** What a refused {@code cont} comes to, with the name of the process that holds an image. */
final class ContRefusal {
    private ContRefusal() {
    }

    /**
     * Makes the exception. QEMU takes all its locks before the first instruction, so a lock that it
     * did not get proves that the guest never ran since its images were given up.
     *
     * @param process the QEMU that refused, still there: its descriptors name the images
     */
    static GuestException of(QemuProcess process, QemuControl.ContResult result, String what) {
        if (!result.lockRefused()) {
            return new GuestException(ErrorCode.GUEST_FAILED, what + ": " + result.desc(),
                    "look at QEMU's own log");
        }
        return new GuestException(ErrorCode.GUEST_FAILED, what + ": " + result.desc() + ": "
                + DiskLockHolders.describe(process.pid()), "end what holds the disk's lock");
    }
}
