package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Assumptions;

/**
 * A host of libvirt: a libvirtd of its own, with virtlogd, in mount and network namespaces of its
 * own, and a bridge. Its domains are run by the user that Debian's libvirt has for them.
 */
public final class LibvirtHost implements AutoCloseable {
    private static final String READY = "ready\n";
    private static final String BRIDGE = "br0";
    /** Of a console: Ctrl and ]. */
    private static final int ESCAPE = 0x1d;
    private static final Duration AGAIN = Duration.ofSeconds(10);
    /** Control groups are not of a namespace: two hosts would share those of their domains. */
    private static final String SETTINGS = "security_driver = \"none\"\nnamespaces = []\n"
            + "cgroup_controllers = []\n";
    /** Folders that a daemon has for itself, and what else another one would collide with. */
    private static final String SCRIPT = "set -e\n"
            + "for d in /run /var/lib/libvirt /var/log/libvirt /var/cache/libvirt; do\n"
            + "    mount -t tmpfs pageferry-test $d\ndone\n"
            + "mkdir -p /var/lib/libvirt/qemu /run/lock\n"
            + "mount --bind \"$0\" /etc/libvirt\n"
            + "ip link set lo up\n"
            + "ip link add " + BRIDGE + " type bridge\nip link set " + BRIDGE + " up\n"
            + "virtlogd -d\nlibvirtd -d\n"
            + "echo ready\nexec cat\n";

    private final Path folder;
    private final Process keeper;

    private LibvirtHost(Path folder, Process keeper) {
        this.folder = folder;
        this.keeper = keeper;
    }

    /** Starts one, or skips the test. */
    public static LibvirtHost start(Path folder) throws IOException {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/sbin/libvirtd")),
                "no libvirtd here: apt install libvirt-daemon-system");
        Path settings = Files.createDirectories(folder.resolve("etc"));
        Files.writeString(settings.resolve("qemu.conf"), SETTINGS);
        // By it a libvirt knows that it is to migrate to itself; all of one machine have one.
        Files.writeString(settings.resolve("libvirtd.conf"),
                "host_uuid = \"" + UUID.randomUUID() + "\"\n");
        Process keeper = new ProcessBuilder("unshare", "-m", "-n", "sh", "-c", SCRIPT,
                settings.toString()).redirectError(folder.resolve("words").toFile()).start();
        LibvirtHost host = new LibvirtHost(folder, keeper);
        boolean started = false;
        try {
            String said = new String(keeper.getInputStream().readNBytes(READY.length()),
                    StandardCharsets.UTF_8);
            assertEquals(READY, said, () -> host.words());
            // At first it looks what each QEMU can do, which takes seconds.
            host.must("domcapabilities");
            started = true;
            return host;
        } finally {
            if (!started) {
                host.close();
            }
        }
    }

    private String words() {
        try {
            return Files.readString(folder.resolve("words"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** {@return what runs a command there, before that command} */
    public List<String> prefix() {
        return List.of("nsenter", "-t", Long.toString(keeper.pid()), "-m", "-n", "--");
    }

    /** Runs virsh; returns what it said, its complaints too. */
    public String virsh(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(prefix());
        command.addAll(List.of("virsh", "-q"));
        command.addAll(List.of(arguments));
        return run(command);
    }

    /** Begins to run virsh. */
    Process begin(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(prefix());
        command.add("virsh");
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(folder.resolve("virsh").toFile())
                .redirectInput(Path.of("/dev/null").toFile()).start();
    }

    /** {@return where its daemon listens, as other hosts of this machine see it} */
    public Path socket() {
        return Path.of("/proc", Long.toString(keeper.pid()), "root", "run", "libvirt",
                "libvirt-sock");
    }

    /** Runs virsh, which has to do it. */
    public String must(String... arguments) throws IOException {
        String said = virsh(arguments);
        if (said.startsWith("error:") || said.contains("\nerror:")) {
            throw new AssertionError("virsh " + String.join(" ", arguments) + ": " + said);
        }
        return said;
    }

    /**
     * Types a line on a domain's console, as a person at a terminal does: again, where it is not
     * answered, as a terminal drops what is typed before it is ready. Returns what the console
     * showed once an answer is among it.
     */
    String type(String domain, String line, String answer) throws IOException {
        List<String> command = new ArrayList<>(prefix());
        command.addAll(List.of("script", "-qfc", "virsh console " + domain, "/dev/null"));
        Process terminal = new ProcessBuilder(command).redirectErrorStream(true).start();
        StringBuffer shown = new StringBuffer();
        Thread screen = Thread.ofPlatform().daemon().start(() -> show(terminal, shown));
        try {
            Poll.until(() -> shown.indexOf("Escape character") >= 0,
                    () -> "virsh console does not begin: " + shown);
            for (long end = System.nanoTime() + Poll.LIMIT.toNanos(); shown.indexOf(answer) < 0;) {
                assertTrue(System.nanoTime() - end < 0, () -> "no answer: " + shown);
                terminal.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
                terminal.getOutputStream().flush();
                Poll.comes(AGAIN, () -> shown.indexOf(answer) >= 0);
            }
            terminal.getOutputStream().write(ESCAPE);
            terminal.getOutputStream().flush();
            assertEquals(0, TwoHosts.await(terminal), shown::toString);
            screen.join();
            return shown.toString();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        } finally {
            terminal.destroyForcibly();
        }
    }

    private static void show(Process terminal, StringBuffer shown) {
        byte[] bytes = new byte[1024];
        try (InputStream in = terminal.getInputStream()) {
            for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
                shown.append(new String(bytes, 0, n, StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            return; // it was ended
        }
    }

    /** {@return what virsh calls the state of a domain, nothing where there is none} */
    String state(String domain) throws IOException {
        String said = virsh("domstate", domain);
        return said.startsWith("error:") ? "" : said;
    }

    /** {@return the process of a domain that is there} */
    long pid(String domain) throws IOException {
        for (ProcessHandle one : processes()) {
            if (Processes.isAlive(one.pid()) && commandLine(one).contains("guest=" + domain)) {
                return one.pid();
            }
        }
        throw new AssertionError("no process of " + domain);
    }

    /** Whether a card's address was seen on the bridge. */
    boolean heard(String mac) throws IOException {
        List<String> command = new ArrayList<>(prefix());
        command.addAll(List.of("bridge", "fdb", "show", "br", BRIDGE));
        return run(command).lines().anyMatch(line -> line.startsWith(mac)
                && !line.contains("permanent"));
    }

    /** Kills the daemon, and starts it again. */
    public void restartDaemon() throws IOException {
        killDaemon();
        startDaemon();
    }

    void killDaemon() throws IOException {
        ProcessHandle daemon = daemon();
        daemon.destroyForcibly();
        daemon.onExit().join();
    }

    public void signalDaemon(Signal signal) throws IOException {
        long pid = daemon().pid();
        Processes.signal(pid, Processes.startTicks(pid).orElseThrow(), signal);
    }

    /** {@return the numbers that its daemon gave to its clients of now, in the order they came} */
    public List<Integer> clients() throws IOException {
        List<String> command = new ArrayList<>(prefix());
        command.addAll(List.of("virt-admin", "client-list", "libvirtd"));
        return run(command).lines().map(line -> line.strip().split("\\s+")[0])
                .filter(word -> word.matches("\\d+")).map(Integer::valueOf).toList();
    }

    private ProcessHandle daemon() throws IOException {
        for (ProcessHandle one : processes()) {
            if (commandLine(one).startsWith("libvirtd")) {
                return one;
            }
        }
        throw new AssertionError("no libvirtd");
    }

    void startDaemon() throws IOException {
        List<String> command = new ArrayList<>(prefix());
        command.addAll(List.of("libvirtd", "-d"));
        run(command);
        must("list");
    }

    private static String run(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        TwoHosts.await(process);
        return said.strip();
    }

    private static String commandLine(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"),
                    StandardCharsets.ISO_8859_1).replace('\0', ' ');
        } catch (IOException e) {
            return "";
        }
    }

    /** All that lives in its mount namespace. */
    private List<ProcessHandle> processes() throws IOException {
        List<ProcessHandle> found = new ArrayList<>();
        Path ours = Files.readSymbolicLink(Path.of("/proc/" + keeper.pid() + "/ns/mnt"));
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[1-9]*")) {
            for (Path one : all) {
                try {
                    if (Files.readSymbolicLink(one.resolve("ns/mnt")).equals(ours)) {
                        ProcessHandle.of(Long.parseLong(one.getFileName().toString()))
                                .ifPresent(found::add);
                    }
                } catch (IOException e) {
                    continue; // it ended
                }
            }
        }
        return found;
    }

    @Override
    public void close() throws IOException {
        try {
            // A daemon may start another one meanwhile.
            Poll.until(() -> {
                List<ProcessHandle> left = processes();
                left.removeIf(one -> one.pid() == keeper.pid());
                left.forEach(ProcessHandle::destroyForcibly);
                return left.isEmpty();
            }, () -> "processes of a host of libvirt do not end");
        } finally {
            keeper.destroyForcibly();
            TwoHosts.await(keeper);
        }
    }
}
