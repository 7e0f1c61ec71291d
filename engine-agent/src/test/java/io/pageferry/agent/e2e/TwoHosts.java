package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Assumptions;

/**
 * Two network namespaces joined by a cable: for the network, two hosts. Each may have a /run and a
 * /dev/shm of its own as well.
 */
final class TwoHosts implements AutoCloseable {
    private static final AtomicInteger COUNT = new AtomicInteger();

    private final String mark = ProcessHandle.current().pid() + "." + COUNT.incrementAndGet();
    private final String left = "pf" + mark + "a";
    private final String right = "pf" + mark + "b";
    private final List<Process> keepers = new ArrayList<>();

    private TwoHosts() {
    }

    /** Makes them, or skips the test: the addresses are of the left and of the right one. */
    static TwoHosts connect(String leftAddress, String rightAddress) throws IOException {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/sbin/ip"))
                || Files.isExecutable(Path.of("/sbin/ip")), "no ip command: install iproute2");
        TwoHosts hosts = new TwoHosts();
        String refused = ip("netns", "add", hosts.left);
        Assumptions.assumeTrue(refused.isEmpty(),
                "network namespaces cannot be made, run as root: " + refused);
        boolean connected = false;
        try {
            must("netns", "add", hosts.right);
            must("link", "add", hosts.left, "netns", hosts.left, "type", "veth",
                    "peer", "name", hosts.right, "netns", hosts.right);
            address(hosts.left, leftAddress);
            address(hosts.right, rightAddress);
            connected = true;
        } finally {
            if (!connected) {
                hosts.close();
            }
        }
        return hosts;
    }

    private static void address(String host, String address) throws IOException {
        must("-n", host, "address", "add", address, "dev", host);
        must("-n", host, "link", "set", host, "up");
        must("-n", host, "link", "set", "lo", "up");
    }

    /** {@return what runs a command on the left one, before that command} */
    List<String> left() {
        return List.of("ip", "netns", "exec", left);
    }

    /** {@return what runs a command on the right one, before that command} */
    List<String> right() {
        return List.of("ip", "netns", "exec", right);
    }

    /** Gives a host a /run and a /dev/shm of its own, as long as a process lives that this is. */
    ProcessHandle alone(List<String> host) throws IOException {
        List<String> command = new ArrayList<>(host);
        command.addAll(List.of("unshare", "-m", "sh", "-c", "mount -t tmpfs pageferry-test /run"
                + " && mount -t tmpfs pageferry-test /dev/shm && echo ready && exec cat"));
        Process keeper = new ProcessBuilder(command).redirectErrorStream(true).start();
        keepers.add(keeper);
        byte[] word = keeper.getInputStream().readNBytes("ready\n".length());
        String said = new String(word, StandardCharsets.UTF_8);
        Assumptions.assumeTrue(said.equals("ready\n"), "no mounts of one's own: " + said);
        return keeper.toHandle();
    }

    /** {@return what runs a command where such a process lives} */
    static List<String> at(ProcessHandle keeper) {
        return List.of("nsenter", "-t", Long.toString(keeper.pid()), "-n", "-m", "--");
    }

    private static void must(String... arguments) throws IOException {
        String refused = ip(arguments);
        assertEquals("", refused, () -> "ip " + String.join(" ", arguments));
    }

    /** Returns its complaint, or nothing. */
    private static String ip(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("ip"));
        command.addAll(List.of(arguments));
        Process ip = new ProcessBuilder(command).redirectErrorStream(true).start();
        String words = new String(ip.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return await(ip) == 0 ? "" : words.isBlank() ? "it failed" : words.strip();
    }

    static int await(Process process) throws IOException {
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    @Override
    public void close() throws IOException {
        for (Process keeper : keepers) {
            keeper.destroyForcibly();
            await(keeper);
        }
        // With a namespace goes its end of the cable, and with that the other end.
        ip("netns", "delete", left);
        ip("netns", "delete", right);
    }
}
