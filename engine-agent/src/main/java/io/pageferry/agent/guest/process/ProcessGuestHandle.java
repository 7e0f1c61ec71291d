package io.pageferry.agent.guest.process;

import io.pageferry.agent.guest.After;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.util.Map;

/** A process whose agent is gone, as a guard or {@code settle} finds it. */
final class ProcessGuestHandle implements GuestHandle {
    private final PausedProcess process;
    private final Freezer freezer;
    private final After after;

    ProcessGuestHandle(Map<String, String> recoveryAddress) throws IOException {
        this.process = PausedProcess.of(recoveryAddress);
        this.freezer = Freezer.of(process, recoveryAddress);
        this.after = After.of(recoveryAddress).orElse(After.KEEP);
    }

    @Override
    public Condition condition() throws GuestException {
        try {
            return !process.isAlive() ? Condition.GONE
                    : Freezer.standsStill(process) ? Condition.PAUSED : Condition.RUNNING;
        } catch (IOException e) {
            throw failed(e);
        }
    }

    @Override
    public void resume() throws GuestException {
        try {
            freezer.thaw();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    @Override
    public void leave() throws GuestException {
        try {
            freezer.leave();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    @Override
    public void end() throws GuestException {
        try {
            if (after == After.QUIT) {
                freezer.kill();
            } else if (after == After.RESUME) {
                freezer.thaw();
                freezer.leave();
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    @Override
    public void forget() {
        // A process is never a target.
    }

    @Override
    public void close() {
        try {
            if (freezer.isOver()) {
                freezer.leave();
            }
        } catch (IOException e) {
            // An empty group does no harm.
            return;
        }
    }

    private GuestException failed(IOException why) {
        return new GuestException(ErrorCode.GUEST_FAILED, "process " + process.pid() + ": "
                + why.getMessage(), "by hand: " + freezer.byHand());
    }
}
