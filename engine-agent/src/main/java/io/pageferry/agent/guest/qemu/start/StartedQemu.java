package io.pageferry.agent.guest.qemu.start;

import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.qemu.qmp.QmpClient;
import io.pageferry.agent.guest.qemu.socket.SocketFolder;
import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.words.Printable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A target's QEMU that this side started from a file of its operator. */
public final class StartedQemu {
    private static final String SCHEME = "qemu";
    private static final Pattern MONITOR =
            Pattern.compile("unix:/.*/pageferry-[0-9a-f]{16}/qmp,server=on,wait=off");
    /** QEMU makes memory resident, where it is told to, before it answers. */
    private static final long ANSWER_NANOS = 300_000_000_000L;
    private static final long POLL_NANOS = 20_000_000L;
    /** One look at it: meanwhile nobody hears that it is not wanted any more. */
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final int MOST_WORDS = 1000;

    private final GuestSetup.Start start;
    private final Path file;
    private final LaunchedQemu qemu;

    private StartedQemu(GuestSetup.Start start, LaunchedQemu qemu) {
        this.start = start;
        this.file = start.file();
        this.qemu = qemu;
    }

    /** {@return where one is going to have its monitor, as a guest; nothing is made yet} */
    public static GuestUri place() {
        String monitor = LaunchedQemu.monitor(
                SocketFolder.draw(ProcessHandle.current().pid()).path()).toString();
        return new GuestUri(SCHEME + ":" + monitor, SCHEME, monitor, Map.of());
    }

    /**
     * Returns whether a monitor is that of a QEMU that was started here.
     *
     * @param raw value of {@code -qmp}
     * @return true for one that {@link #start} added
     */
    public static boolean isMonitor(String raw) {
        return MONITOR.matcher(raw).matches();
    }

    /**
     * Starts a QEMU and waits until it answers.
     *
     * @param start   the file, and who starts it
     * @param monitor of a {@link #place}
     * @return the QEMU, to be ended by {@link #end} unless a guest is in it
     * @throws GuestException when the file is refused or QEMU ends; nothing is left then
     */
    public static StartedQemu start(GuestSetup.Start start, Path monitor) throws GuestException {
        List<String> arguments = arguments(start.file(), OperatorFile.read(start.file()));
        Path folder = monitor.getParent();
        boolean made = false;
        StartedQemu started = null;
        boolean answers = false;
        try {
            PrivateFiles.createFolder(folder);
            made = true;
            List<String> command = new ArrayList<>(arguments);
            command.addAll(List.of("-qmp", "unix:" + RawText.of(monitor.toString()).replace(",",
                    ",,") + ",server=on,wait=off"));
            LaunchedQemu.write(folder, command);
            MadeFiles.write(folder, MadeFiles.toBeMade(arguments));
            long pid = start.launcher().launch(folder);
            started = new StartedQemu(start, new LaunchedQemu(folder, pid,
                    Processes.startTicks(pid).orElse(-1)));
            started.awaitAnswer(monitor);
            MadeFiles.write(folder, MadeFiles.seen(folder));
            answers = true;
            return started;
        } catch (IOException e) {
            throw e instanceof GuestException known ? known : new GuestException(
                    ErrorCode.HOST_FAILED, "--start " + start.file() + ": QEMU cannot be started: "
                    + e.getMessage(), "look at its first line, the program");
        } finally {
            if (started != null && !answers) {
                started.kill();
            } else if (made && !answers) {
                LaunchedQemu.delete(folder);
            }
        }
    }

    /** What a file has QEMU started with, where that can become a target. */
    static List<String> arguments(Path file, byte[] content) throws GuestException {
        StartFile parsed;
        try {
            parsed = StartFile.parse(content);
        } catch (IllegalArgumentException e) {
            throw refused(file, e.getMessage(), "one option of QEMU and its value a line; '…' or"
                    + " \"…\" around a value with blanks");
        }
        if (!parsed.untold().isEmpty()) {
            throw refused(file, "describe could not tell all: " + RawText.shown(
                    parsed.untold().getFirst()), "do what that line asks for, then delete it");
        }
        List<String> words = parsed.arguments();
        if (words.isEmpty() || !words.getFirst().startsWith("/")) {
            throw refused(file, "it does not begin with a program", "write QEMU's absolute path"
                    + " into its first line");
        }
        requireTarget(file, QemuOption.parse(words.subList(1, words.size())));
        return words;
    }

    private static void requireTarget(Path file, List<QemuOption> options)
            throws GuestException {
        List<String> incoming = options.stream().filter(one -> one.is("incoming"))
                .map(one -> String.valueOf(one.value())).toList();
        if (!incoming.equals(List.of("defer"))) {
            throw refused(file, incoming.isEmpty() ? "it has no -incoming, and so QEMU would boot"
                    + " a second guest on the same disks" : "its -incoming is not defer",
                    "have it end with the lines -S and -incoming defer");
        }
        for (QemuOption one : options) {
            if (one.is("daemonize", "loadvm", "preconfig")) {
                throw refused(file, "it has -" + one.name(), "leave that line out"
                        + (one.is("daemonize") ? ": QEMU outlives this command anyway" : ""));
            }
        }
    }

    private static GuestException refused(Path file, String why, String remedy) {
        return new GuestException(ErrorCode.GUEST_MISMATCH, "--start " + file + ": "
                + Printable.of(why), remedy);
    }

    private void awaitAnswer(Path monitor) throws GuestException {
        long begin = System.nanoTime();
        while (System.nanoTime() - begin < ANSWER_NANOS) {
            if (!qemu.isAlive()) {
                String words = words();
                throw new GuestException(ErrorCode.GUEST_FAILED, "--start " + file
                        + ": QEMU ended: " + (words.isEmpty() ? "without a word" : words),
                        "mend what it names in that file, or here");
            }
            if (start.unwanted().getAsBoolean()) {
                throw new GuestException(ErrorCode.CANCELLED, "--start " + file
                        + ": cancelled before QEMU (pid " + qemu.pid() + ") answered", "");
            }
            if (Files.exists(monitor)) {
                try (QmpClient client = QmpClient.connect(monitor, LOOK)) {
                    client.execute("query-status", null, LOOK);
                    return;
                } catch (IOException e) {
                    // It is about to listen, still makes its machine, or has ended.
                }
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        throw new GuestException(ErrorCode.GUEST_FAILED, "--start " + file + ": QEMU (pid "
                + qemu.pid() + ") does not answer", "look at what it waits for");
    }

    /** What it said, in one line. */
    private String words() {
        try {
            String all = RawText.shown(RawText.of(
                    Files.readAllBytes(LaunchedQemu.words(qemu.folder()))));
            String last = all.substring(Math.max(0, all.length() - MOST_WORDS));
            return last.lines().map(String::strip).filter(line -> !line.isEmpty())
                    .map(Printable::of).collect(Collectors.joining("; "));
        } catch (IOException e) {
            return "";
        }
    }

    /** Ends it: no guest is in it. Idempotent. */
    public void end() {
        qemu.end();
        start.launcher().release();
    }

    /** Ends it so where it does not answer, and never did. */
    private void kill() {
        qemu.kill();
        start.launcher().release();
    }
}
