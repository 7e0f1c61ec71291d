package io.pageferry.agent.host.machine.address;

import io.pageferry.agent.host.linux.block.LoopDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** A network of its own, in which a test may take off what it likes. */
public final class NetNamespace implements AutoCloseable {
    private static int count;

    private final String name;

    private NetNamespace(String name) {
        this.name = name;
    }

    /** Makes one with an interface {@code d0} that is up, or skips the test. */
    public static synchronized NetNamespace make() throws IOException {
        Assumptions.assumeTrue(Files.getAttribute(Path.of("/proc/self"),
                "unix:uid").equals(0) && Files.exists(Path.of("/proc/self/ns/net")),
                "no network namespaces can be made here: not root");
        NetNamespace made = new NetNamespace("pageferry-" + ProcessHandle.current().pid() + "-"
                + ++count);
        LoopDisk.run("ip", "netns", "add", made.name);
        made.ip("link", "set", "lo", "up");
        made.ip("link", "add", "d0", "type", "veth", "peer", "name", "d1");
        made.ip("link", "set", "d0", "up");
        made.ip("link", "set", "d1", "up");
        return made;
    }

    /** {@return how iproute2 is called for it} */
    public List<String> command() {
        return List.of("ip", "-n", name);
    }

    /** Runs iproute2 in it. */
    public String ip(String... words) throws IOException {
        List<String> all = new ArrayList<>(command());
        all.addAll(List.of(words));
        return LoopDisk.run(all.toArray(String[]::new));
    }

    @Override
    public void close() throws IOException {
        LoopDisk.run("ip", "netns", "delete", name);
    }
}
