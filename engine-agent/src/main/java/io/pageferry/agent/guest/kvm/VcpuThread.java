package io.pageferry.agent.guest.kvm;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.kvm.KvmExit;
import io.pageferry.agent.host.linux.kvm.KvmVcpu;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.util.Optional;

/**
 * The run loop of a vCPU, on a platform thread of its own: it stays inside the kernel for as long
 * as nothing happens. It stands at first. Any thread may call any method.
 */
final class VcpuThread implements AutoCloseable {
    /** Receives what the guest does with its ports. */
    interface Ports {
        /** The guest wrote a value to a port; on the vCPU's thread. */
        void write(int port, int value);
    }

    private static final long LIMIT_NANOS = 5_000_000_000L;

    private final KvmVcpu vcpu;
    private final Ports ports;
    private final VcpuThrottle throttle = new VcpuThrottle(this::nudge, System::nanoTime);
    private final Thread thread;

    // Guarded by this.
    private boolean wanted;
    private boolean ending;
    private boolean standing;
    private String ended;

    /** Makes it for a vCPU, which passes to this thread until {@link #close}. */
    VcpuThread(KvmVcpu vcpu, Ports ports) {
        this.vcpu = vcpu;
        this.ports = ports;
        vcpu.interrupt();
        thread = Thread.ofPlatform().daemon().name("vcpu-0").start(this::run);
    }

    private void run() {
        try {
            boolean goesOn = true;
            while (goesOn) {
                goesOn = handle(vcpu.run());
            }
        } catch (LinuxException e) {
            end(e.getMessage());
        } finally {
            synchronized (this) {
                standing = true;
                notifyAll();
            }
        }
    }

    private boolean handle(KvmExit exit) throws LinuxException {
        switch (exit) {
            case KvmExit.Interrupted interrupted -> {
                return turn();
            }
            case KvmExit.PortWrite write -> ports.write(write.port(), write.value());
            case KvmExit.Stopped stopped -> {
                end(stopped.what());
                return false;
            }
        }
        return true;
    }

    // An interrupted vCPU has finished whatever it came back for before; one that came back for a
    // port has not, and its registers are not to be saved. So it stands here and nowhere else.
    private boolean turn() {
        synchronized (this) {
            vcpu.clearInterrupt();
            boolean stood = !wanted;
            while (!wanted && !ending) {
                standing = true;
                notifyAll();
                sleep(0);
            }
            standing = false;
            notifyAll();
            if (ending) {
                return false;
            }
            if (stood) {
                throttle.enter();
            }
        }
        throttle.hold(() -> !isWanted());
        return true;
    }

    /** Lets it run. Without effect on one that runs or ended. */
    synchronized void resume() {
        wanted = true;
        notifyAll();
    }

    /** Stops it; when this returns it stands, and its registers are complete. */
    synchronized void pause() throws GuestException {
        wanted = false;
        vcpu.interrupt();
        long start = System.nanoTime();
        while (!standing) {
            long left = LIMIT_NANOS - (System.nanoTime() - start);
            if (left <= 0) {
                throw new GuestException(ErrorCode.GUEST_FAILED, "the vCPU did not leave the guest"
                        + " within " + LIMIT_NANOS / 1_000_000 + " ms", "");
            }
            sleep(left / 1_000_000 + 1);
        }
    }

    /** Has it leave the guest and enter it again, where it runs. */
    synchronized void nudge() {
        if (wanted && !standing) {
            vcpu.interrupt();
        }
    }

    private void sleep(long millis) {
        try {
            wait(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    synchronized boolean isWanted() {
        return wanted && !ending;
    }

    synchronized Optional<String> ended() {
        return Optional.ofNullable(ended);
    }

    VcpuThrottle throttle() {
        return throttle;
    }

    private synchronized void end(String why) {
        ended = why;
    }

    /** Ends the thread, which stands or runs. */
    @Override
    public void close() {
        synchronized (this) {
            ending = true;
            vcpu.interrupt();
            notifyAll();
        }
        throttle.close();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
