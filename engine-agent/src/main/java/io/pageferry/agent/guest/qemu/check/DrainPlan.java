package io.pageferry.agent.guest.qemu.check;

import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import java.time.Duration;
import java.util.Optional;

/**
 * What is done about disks that write to pages which were pinned before: the one decision of
 * {@code check} and of a move.
 *
 * @param drain  waits for them; empty where there are none, or where this QEMU cannot
 * @param drains whether none is missed: there are none, or they are waited for
 */
public record DrainPlan(Optional<DiskDrain> drain, boolean drains) implements AutoCloseable {
    /**
     * Decides what is waited for.
     *
     * @param open  what the QEMU has open
     * @param limit longest wait for its disks
     * @param qemu  its monitor; a node is added to it where there is something to wait for
     * @return the caller's to close, or the drain in it
     * @throws QmpException when the monitor is gone
     */
    public static DrainPlan of(OpenDescriptors open, QemuControl qemu, Duration limit)
            throws QmpException {
        if (open.pinning().isEmpty()) {
            return new DrainPlan(Optional.empty(), true);
        }
        Optional<DiskDrain> drain = Optional.ofNullable(DiskDrain.open(qemu, limit));
        return new DrainPlan(drain, drain.isPresent());
    }

    /** Of contents that are compared nothing needs to be waited for, and nothing is. */
    public static DrainPlan none() {
        return new DrainPlan(Optional.empty(), false);
    }

    @Override
    public void close() {
        drain.ifPresent(DiskDrain::close);
    }
}
