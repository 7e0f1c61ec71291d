package io.pageferry.agent.guest.qemu;

import io.pageferry.agent.guest.AfterResume;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.qemu.qmp.MonitorAddress;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.socket.SocketFolder;
import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.UnixPeer;
import io.pageferry.agent.host.process.ProcessInstance;
import io.pageferry.agent.host.process.UsageWatch;
import io.pageferry.agent.host.throttle.ThreadThrottle;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A QEMU process behind its monitor.
 *
 * @param monitor    where that is
 * @param pid        process id
 * @param startTicks when it started, so that a reused process id is never taken for it
 * @param sockets    where its state and its disks pass
 */
public record QemuProcess(MonitorAddress monitor, long pid, long startTicks, SocketFolder sockets) {
    private static final Duration END = Duration.ofSeconds(10);

    /** Finds the process that listens on the socket that a URI names. */
    static QemuProcess find(GuestUri uri) throws GuestException {
        if (!uri.rest().startsWith("/") || !uri.parameters().isEmpty()) {
            throw new IllegalArgumentException(
                    "write qemu:/path/to/qmp.sock, not " + uri.text());
        }
        Path path = Path.of(uri.rest());
        if (!Files.exists(path)) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "there is no guest at " + path,
                    "start QEMU with -qmp unix:" + path + ",server=on,wait=off");
        }
        try {
            Path monitor = path.toRealPath();
            return of(new MonitorAddress.Socket(monitor), UnixPeer.pid(monitor));
        } catch (IOException e) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "nobody answers at " + path + ": "
                    + e.getMessage(), "look whether QEMU is running");
        }
    }

    /**
     * Takes the process that has a number now.
     *
     * @param monitor of it
     * @param pid     its number
     * @return the process
     * @throws IOException when it has ended
     */
    public static QemuProcess of(MonitorAddress monitor, long pid) throws IOException {
        return new QemuProcess(monitor, pid, Processes.startTicks(pid).orElseThrow(
                () -> new IOException("process " + pid + " has ended")), SocketFolder.draw(pid));
    }

    /**
     * Finds again the process that an earlier agent wrote down.
     *
     * @param monitor         of it
     * @param recoveryAddress of a journal
     * @return the process, whether it is there or not
     */
    public static QemuProcess of(MonitorAddress monitor, Map<String, String> recoveryAddress) {
        ProcessInstance instance = ProcessInstance.of(recoveryAddress);
        return new QemuProcess(monitor, instance.pid(), instance.startTicks(),
                SocketFolder.of(recoveryAddress).orElseGet(
                        () -> SocketFolder.draw(instance.pid())));
    }

    Map<String, String> recoveryAddress() {
        Map<String, String> recoveryAddress = new HashMap<>();
        monitor.putInto(recoveryAddress);
        sockets.putInto(recoveryAddress);
        instance().putInto(recoveryAddress);
        return recoveryAddress;
    }

    String identity() {
        return instance().identity();
    }

    ProcessInstance instance() {
        return new ProcessInstance(pid, startTicks);
    }

    /** Names a socket, in a folder that is there when this returns. */
    Path socket(String name) throws IOException {
        sockets.make(pid);
        return sockets.socket(name);
    }

    boolean isAlive() {
        return instance().isAlive();
    }

    QemuControl connect() throws GuestException {
        try {
            return monitor.connect(pid);
        } catch (IOException e) {
            GuestException failed =
                    new GuestException(ErrorCode.GUEST_FAILED, e.getMessage(), monitor.remedy());
            throw e instanceof QmpException no && no.kind() == QmpException.Kind.TIMEOUT
                    ? failed.silent() : failed;
        }
    }

    /** Lets the guest go on that was to move. */
    QemuControl.ContResult goOn(QemuControl qemu) throws QmpException {
        monitor.keepsGuest();
        return qemu.cont();
    }

    /**
     * Ends it by its monitor, by a signal where that does not help; returns when it is gone.
     *
     * @param qemu its monitor, or null where it does not listen
     */
    void end(QemuControl qemu) throws GuestException {
        // Where QEMU sees a file system of its own, nobody reaches it afterwards.
        sockets.delete();
        boolean obeys = false;
        if (qemu != null) {
            try {
                monitor.end(qemu);
                obeys = true;
            } catch (IOException e) {
                // Then by a signal.
            }
        }
        if (!obeys || !instance().awaitEnd(END)) {
            kill(instance());
        }
        monitor.ended();
    }

    /** What slows its vCPUs down; holds none yet. */
    ThreadThrottle throttle(QemuControl qemu) throws IOException {
        return ThreadThrottle.of(pid, startTicks, () -> {
            Set<Long> threads = qemu.vcpuThreads();
            for (Long thread : threads) {
                if (!Files.exists(Path.of("/proc", Long.toString(pid), "task",
                        Long.toString(thread))) && isAlive()) {
                    throw new IOException("QEMU (pid " + pid + ") has no thread " + thread
                            + " here: it is in another PID namespace");
                }
            }
            return threads;
        });
    }

    /** Undoes what slows its vCPUs down, also where it ended. */
    void unthrottle() throws GuestException {
        try {
            ThreadThrottle.undo(pid, startTicks);
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, e.getMessage(), "move the threads"
                    + " of each control group pageferry-" + pid + "-" + startTicks
                    + "-* to the group around it, and remove it");
        }
    }

    /**
     * Says how a guest fared.
     *
     * @param usage of its QEMU since its resume; empty where it was not resumed
     * @return what reports have of it; empty where it ended, too
     */
    public static Optional<AfterResume> fared(Optional<UsageWatch> usage) {
        return usage.flatMap(UsageWatch::used).map(
                used -> new AfterResume(used.nanos(), used.faults(), used.cpuNanos()));
    }

    /**
     * Ends a QEMU by a signal, and returns when it is gone.
     *
     * @param qemu the process
     * @throws GuestException where it may still run
     */
    public static void kill(ProcessInstance qemu) throws GuestException {
        String remedy = "kill -9 " + qemu.pid();
        try {
            if (!qemu.kill(END)) {
                throw new GuestException(ErrorCode.GUEST_FAILED,
                        "QEMU (pid " + qemu.pid() + ") does not end", remedy);
            }
        } catch (LinuxException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED, "cannot end QEMU (pid " + qemu.pid()
                    + "): " + e.getMessage(), remedy);
        }
    }
}
