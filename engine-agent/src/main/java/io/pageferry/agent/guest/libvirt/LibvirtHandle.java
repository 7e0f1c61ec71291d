package io.pageferry.agent.guest.libvirt;

import io.pageferry.agent.guest.qemu.QemuProcess;
import io.pageferry.agent.guest.qemu.firmware.HeldBackState;
import io.pageferry.agent.guest.qemu.socket.SocketFolder;
import io.pageferry.agent.host.linux.libvirt.LibvirtConnection;
import io.pageferry.agent.host.linux.libvirt.LibvirtDomain;
import io.pageferry.agent.host.linux.libvirt.LibvirtException;
import io.pageferry.agent.host.linux.process.Fifo;
import io.pageferry.agent.host.process.ProcessInstance;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** A domain at a target whose agent is gone; its guard holds the pipe that QEMU reads. */
final class LibvirtHandle implements GuestHandle {
    /** QEMU lets go of its pipe within milliseconds of the end. */
    private static final long CLOSE_NANOS = 2_000_000_000L;
    private static final long FINISH_NANOS = 30_000_000_000L;
    private static final long POLL_NANOS = 10_000_000;

    private final LibvirtUri uri;
    private final SocketFolder folder;
    private final RestoredDomain left;

    LibvirtHandle(Map<String, String> recoveryAddress) {
        this.uri = LibvirtUri.of(recoveryAddress);
        this.folder = new SocketFolder(Path.of(recoveryAddress.get(LibvirtIncoming.FOLDER)));
        this.left = new RestoredDomain(folder);
    }

    @Override
    public Condition condition() throws GuestException {
        Optional<ProcessInstance> qemu = left.qemu();
        if (qemu.isPresent() && !qemu.get().isAlive()) {
            return Condition.GONE;
        }
        if (qemu.isPresent() && !left.isLoaded()) {
            return Condition.WAITING;
        }
        try {
            if (left.reader().isPresent()) {
                return Condition.PAUSED;
            }
        } catch (IOException e) {
            throw failed(e);
        }
        return LibvirtUri.within(LibvirtUri.ANSWER, this::whole);
    }

    /** Of a domain that libvirt has as a whole, also where what was left of its arrival is gone. */
    private Condition whole() throws GuestException {
        try (LibvirtConnection connection = uri.open();
                LibvirtDomain domain = connection.domain(uri.domain())) {
            return !domain.isActive() ? Condition.GONE
                    : domain.isRunning() ? Condition.RUNNING : Condition.PAUSED;
        } catch (LibvirtException e) {
            if (e.isNoDomain()) {
                return Condition.GONE;
            }
            throw failed(e);
        }
    }

    @Override
    public void resume() throws GuestException {
        takeOver();
        // The agent may have done it as its last act.
        new RunningDomain(uri, true).resume();
    }

    @Override
    public void arrivePaused() throws GuestException {
        takeOver();
    }

    /** Gives QEMU the end of its state, unless the agent did it as its last act. */
    private void takeOver() throws GuestException {
        Path path = folder.socket(RestoredDomain.PIPE);
        try {
            if (awaitClosed(CLOSE_NANOS)) {
                return;
            }
            long deadline = System.nanoTime() + FINISH_NANOS;
            try (Fifo pipe = Fifo.open(path)) {
                pipe.write(HeldBackState.end(), () -> true, deadline);
                if (!awaitClosed(FINISH_NANOS)) {
                    throw new IOException("QEMU does not read the end of its state");
                }
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private boolean awaitClosed(long nanos) throws IOException {
        long deadline = System.nanoTime() + nanos;
        while (left.reader().isPresent()) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return true;
    }

    @Override
    public void end() throws GuestException {
        if (left.qemu().isPresent()) {
            QemuProcess.kill(left.qemu().get());
        }
        left.undefine(uri);
        folder.delete();
    }

    @Override
    public void forget() throws GuestException {
        end();
    }

    private static GuestException failed(IOException e) {
        return new GuestException(ErrorCode.GUEST_FAILED, e instanceof LibvirtException
                ? "libvirt says: " + e.getMessage() : e.getMessage(), "");
    }

    /** What was left of an arrival that is over is not needed: libvirt knows its domain. */
    @Override
    public void close() {
        try {
            if (left.reader().isEmpty()) {
                folder.delete();
            }
        } catch (IOException e) {
            return; // it does no harm
        }
    }
}
