package io.pageferry.agent.guest.disk;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.host.linux.process.PowerOff;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;

/**
 * What becomes of disks at the source once the target has them.
 *
 * @param after as chosen
 * @param power of the machine that they are mounted on
 */
record DiskEnd(After after, PowerOff power) {
    /**
     * Looks whether it can be done in the end. Nothing is changed.
     *
     * @throws GuestException when it cannot
     */
    void requirePossible(SourceDisks disks) throws GuestException {
        if (after != After.POWEROFF) {
            return;
        }
        if (!disks.freeze().isNeeded()) {
            throw refused("nothing on " + disks.held().text() + " is mounted here, so nothing of"
                    + " this machine stands still in the end",
                    "use --after keep, and power it off as ever");
        }
        if (!power.isAllowed()) {
            throw refused(power.trigger() + " cannot be written, by which the kernel is told to"
                    + " power off", "run as root, or use --after keep and power it off by hand");
        }
    }

    /** Does it, with the file systems frozen. */
    void of(WriterFreeze freeze) throws GuestException {
        switch (after) {
            case THAW -> freeze.thaw();
            case POWEROFF -> powerOff();
            default -> {
                // They stay as they are.
            }
        }
    }

    void powerOff() throws GuestException {
        try {
            power.soon();
        } catch (IOException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED, "this machine cannot be powered off: "
                    + e.getMessage(), "do it by hand: echo o > " + power.trigger()).retryable();
        }
    }

    private static GuestException refused(String what, String remedy) {
        return new GuestException(ErrorCode.HOST_FAILED, what, remedy);
    }
}
