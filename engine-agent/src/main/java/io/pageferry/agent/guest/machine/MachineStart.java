package io.pageferry.agent.guest.machine;

import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.agent.host.process.ProgramRunner;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Boots a machine that arrived: its QEMU is a daemon in a session of its own, which outlives this
 * process.
 *
 * @param folder of the machine
 */
record MachineStart(MachineFolder folder) {
    /** What a path of a unix socket may have (unix(7)), less its end. */
    private static final int MOST_SOCKET = 107;
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final String QEMU = "qemu-system-x86_64";

    private Path pidFile() {
        return folder.path().resolve("qemu.pid");
    }

    private Path serialLog() {
        return folder.path().resolve("serial.log");
    }

    private Path monitor() {
        return folder.path().resolve("qmp.sock");
    }

    /**
     * Looks whether it could be started once it is here. Nothing is changed.
     *
     * @throws GuestException where it could not
     */
    void requirePossible() throws GuestException {
        ProgramRunner.requireProgram(QEMU, "qemu-system-x86");
        if (monitor().toString().getBytes(StandardCharsets.UTF_8).length > MOST_SOCKET) {
            throw new GuestException(ErrorCode.HOST_FAILED, "the socket of its monitor, "
                    + monitor() + ", has a longer name than a socket may have",
                    "name a folder with a shorter path");
        }
    }

    /**
     * Boots it, unless it runs.
     *
     * @throws GuestException where it does not start, with the line that was run
     */
    void start() throws GuestException {
        if (runningPid().isPresent()) {
            return;
        }
        List<String> command = command();
        try {
            PrivateFiles.replace(serialLog(), new byte[0]);
            List<String> shell = new ArrayList<>(List.of("sh", "-c", "umask 077; exec \"$0\""
                    + " \"$@\""));
            shell.addAll(command);
            ProgramRunner.Ended ended = new ProgramRunner().run(shell, LIMIT);
            if (ended.code() != 0) {
                throw new IOException("it ended with " + ended.code() + ": " + ended.lastWords());
            }
        } catch (IOException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED, "the machine is in " + folder.path()
                    + " and did not start: " + e.getMessage() + "; what was run: "
                    + String.join(" ", command) + "; mend that, and pageferry settle MIGRATION"
                    + " here tries it again", "");
        }
    }

    private List<String> command() {
        return List.of(folder.script().toString(), "-daemonize", "-display", "none", "-serial",
                "file:" + serialLog(), "-pidfile", pidFile().toString(), "-qmp",
                "unix:" + monitor() + ",server=on,wait=off");
    }

    /** {@return the process that runs it} */
    Optional<Long> runningPid() {
        try {
            String pid = Files.exists(pidFile()) ? Files.readString(pidFile()).strip() : "";
            if (!pid.matches("[0-9]{1,9}")) {
                return Optional.empty();
            }
            String words = Files.readString(Path.of("/proc", pid, "cmdline"),
                    StandardCharsets.ISO_8859_1);
            String file = new String(pidFile().toString().getBytes(StandardCharsets.UTF_8),
                    StandardCharsets.ISO_8859_1);
            return List.of(words.split("\0")).contains(file) ? Optional.of(Long.valueOf(pid))
                    : Optional.empty();
        } catch (IOException e) {
            // It has ended.
            return Optional.empty();
        }
    }

    /** {@return where it is, in words} */
    String words() {
        return runningPid().map(pid -> "it runs as process " + pid + ", its console is in "
                + serialLog() + ", its monitor " + monitor()).orElse("it has ended: "
                + serialLog() + " has its console");
    }
}
