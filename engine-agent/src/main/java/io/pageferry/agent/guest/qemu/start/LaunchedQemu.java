package io.pageferry.agent.guest.qemu.start;

import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpClient;
import io.pageferry.agent.guest.qemu.qmp.RunState;
import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.host.linux.process.DetachedProgram;
import io.pageferry.agent.host.process.ProcessInstance;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * A QEMU that was launched from a folder, which holds its arguments, its monitor and what it says.
 * The folder is root's or this user's alone. Any thread, but one at a time.
 *
 * @param folder     of it
 * @param pid        process id
 * @param startTicks when it started
 */
public record LaunchedQemu(Path folder, long pid, long startTicks) {
    private static final String MONITOR = "qmp";
    private static final String ARGUMENTS = "arguments";
    private static final String WORDS = "words";
    private static final String OURS = "PAGEFERRY_";
    private static final Duration END = Duration.ofSeconds(10);
    private static final Duration TERM = Duration.ofMillis(500);

    /** {@return where its monitor is} */
    static Path monitor(Path folder) {
        return folder.resolve(MONITOR);
    }

    static Path words(Path folder) {
        return folder.resolve(WORDS);
    }

    /** Writes down what {@link #launch} is to start. */
    static void write(Path folder, List<String> arguments) throws IOException {
        Files.write(folder.resolve(ARGUMENTS), joined(arguments));
        Files.write(words(folder), new byte[0]);
    }

    static byte[] joined(List<String> texts) {
        StringBuilder all = new StringBuilder();
        texts.forEach(text -> all.append(text).append('\0'));
        return RawText.bytes(all.toString());
    }

    static List<String> cut(Path file) throws IOException {
        List<String> texts = new ArrayList<>(
                List.of(RawText.of(Files.readAllBytes(file)).split("\0", -1)));
        texts.removeLast();
        return texts;
    }

    /**
     * Starts the QEMU of a folder, as a child of this process.
     *
     * @param folder     of it
     * @param coreFilter what its core dumps hold, as the kernel's file takes it
     * @return the QEMU
     * @throws IOException when it cannot be started
     */
    public static LaunchedQemu launch(Path folder, String coreFilter) throws IOException {
        List<byte[]> environment = cut(Path.of("/proc/self/environ")).stream()
                .filter(one -> !one.startsWith(OURS)).map(RawText::bytes).toList();
        long pid = DetachedProgram.start(cut(folder.resolve(ARGUMENTS)).stream()
                .map(RawText::bytes).toList(), environment,
                RawText.bytes(RawText.of(words(folder).toString())));
        try {
            // This process withholds a guest's memory from its dumps; a QEMU has ways of its own.
            Files.write(Path.of("/proc", Long.toString(pid), "coredump_filter"),
                    coreFilter.getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            // It has ended already, or the kernel has no such filter.
        }
        return new LaunchedQemu(folder, pid, Processes.startTicks(pid).orElse(-1));
    }

    /** {@return whether it is there} */
    public boolean isAlive() {
        return instance().isAlive();
    }

    private ProcessInstance instance() {
        return new ProcessInstance(pid, startTicks);
    }

    /**
     * Ends it unless a guest is in it, for an agent that is gone.
     *
     * @param surely whether none can be, so that it ends also where it does not answer
     * @param words  for people
     */
    public void endWithoutGuest(boolean surely, Consumer<String> words) {
        boolean empty = surely;
        if (isAlive()) {
            try (QemuControl qemu = new QemuControl(QmpClient.connect(monitor(folder)), pid)) {
                empty = qemu.status().state() == RunState.INMIGRATE;
            } catch (IOException e) {
                if (!surely) {
                    words.accept("QEMU (pid " + pid + ") is left as it is: " + e.getMessage());
                }
            }
        }
        if (empty || !isAlive()) {
            end();
        }
    }

    /** Has a parent forget it, where it ended. */
    public void reap() {
        DetachedProgram.reap(pid);
    }

    /** Ends it, and deletes what it made and its folder. Returns when it is gone. */
    void end() {
        if (isAlive()) {
            try (QemuControl qemu = new QemuControl(QmpClient.connect(monitor(folder)), pid)) {
                qemu.quit();
            } catch (IOException e) {
                signal(Signal.TERM);
            }
            endBySignal(END);
        }
        clear();
    }

    /** Ends it so without asking it: it does not answer. */
    void kill() {
        signal(Signal.TERM);
        endBySignal(TERM);
        clear();
    }

    private void endBySignal(Duration after) {
        if (!instance().awaitEnd(after)) {
            signal(Signal.KILL);
            instance().awaitEnd(END);
        }
    }

    private void clear() {
        reap();
        MadeFiles.delete(folder);
        delete(folder);
    }

    private void signal(Signal signal) {
        try {
            Processes.signal(pid, startTicks, signal);
        } catch (LinuxException e) {
            // Of another user: its end by the monitor is all that there is.
            return;
        }
    }

    /** Deletes a folder and the files in it. */
    static void delete(Path folder) {
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path one : files) {
                Files.deleteIfExists(one);
            }
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            // What stays is a folder that nobody else can enter.
            return;
        }
    }
}
