package io.pageferry.agent.guest.kvm;

import io.pageferry.agent.guest.GuestCheck;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.host.process.InProcess;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.GuestMemory;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.round.WriteThrottle;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.Optional;

/**
 * A machine of this process as a guest that can be moved away. Owns the machine: it ends with this
 * guest, wherever its guest runs by then.
 */
public final class KvmGuest implements SourceGuest {
    private final Machine machine;
    private final long countAtFirst;
    private boolean gone;

    /**
     * Makes a guest of a machine, which runs or stands.
     *
     * @param machine passes to this guest
     */
    public KvmGuest(Machine machine) {
        this.machine = machine;
        this.countAtFirst = machine.count();
    }

    @Override
    public GuestDescription describe() {
        return new GuestDescription(KvmSpec.SCHEME, "kvm", machine.memory().regions(),
                machine.memory().dataBytes(), Map.of());
    }

    @Override
    public GuestMemory memory() {
        return machine.memory();
    }

    @Override
    public DirtyTracker tracker() {
        return machine.tracker();
    }

    @Override
    public boolean isRunning() {
        return machine.isRunning();
    }

    @Override
    public Optional<String> ended() {
        return machine.ended();
    }

    @Override
    public Optional<WriteThrottle> throttle() {
        return Optional.of(machine.throttle());
    }

    @Override
    public void pause() throws GuestException {
        machine.pause();
    }

    @Override
    public void saveState(OutputStream out) throws IOException {
        out.write(machine.state().bytes());
    }

    @Override
    public void resume() {
        machine.resume();
    }

    @Override
    public void end() {
        gone = true;
    }

    @Override
    public void close() {
        machine.close();
    }

    // What follows is for the agents of the command line.

    @Override
    public String identity() {
        return KvmSpec.SCHEME + ":" + InProcess.nameOf(this);
    }

    @Override
    public Map<String, String> recoveryAddress() {
        return Map.of();
    }

    @Override
    public String trackerReason() {
        return "KVM logs what the vCPU writes";
    }

    @Override
    public String throttleReason() {
        return "it keeps the vCPU out of the guest for a share of its time";
    }

    /** A guest that was moved away is the target's to check; here counts what it came upon. */
    @Override
    public Optional<GuestCheck> check() {
        try {
            long failures = gone ? machine.failuresHere() : machine.check();
            return Optional.of(new GuestCheck(machine.standingCount() - countAtFirst, null, null,
                    failures));
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
