package io.pageferry.agent.guest.qemu.disk;

import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.util.List;

/** What a command that a QEMU did not obey comes to. */
public final class QemuFailure {
    private QemuFailure() {
    }

    /**
     * Makes the exception; one without an answer may yet be obeyed.
     *
     * @param failed says why
     * @return the exception
     */
    public static GuestException of(QmpException failed) {
        GuestException known =
                new GuestException(ErrorCode.GUEST_FAILED, failed.getMessage(), "");
        return failed.kind() == QmpException.Kind.TIMEOUT ? known.silent() : known;
    }

    /**
     * Makes it with what keeps QEMU from answering.
     *
     * @param failed says why
     * @param pid    QEMU's
     * @param drives its disks
     * @return the exception
     */
    public static GuestException of(QmpException failed, long pid, List<QemuFacts.Drive> drives) {
        return failed.kind() != QmpException.Kind.TIMEOUT ? of(failed) : new GuestException(
                ErrorCode.GUEST_FAILED, failed.getMessage() + ": "
                + StalledDisks.describe(pid, drives), StalledDisks.REMEDY).silent();
    }
}
