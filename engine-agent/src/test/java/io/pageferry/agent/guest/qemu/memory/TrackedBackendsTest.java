package io.pageferry.agent.guest.qemu.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.qemu.check.Objection;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.check.VhostUserDevices;
import io.pageferry.agent.guest.qemu.qmp.FakeMonitor;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpClient;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.StrangerProgram;
import io.pageferry.agent.host.linux.userfault.RemoteUserfault;
import io.pageferry.agent.host.linux.userfault.UserfaultTracker;
import io.pageferry.agent.host.memory.MappedRegions;
import io.pageferry.agent.host.memory.RegionFiles;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A backend that forks while the guest moves: the child writes and is not tracked. QEMU is this
 * process here, its RAM a memfd, and the backend a program that maps it and is connected to it.
 */
class TrackedBackendsTest {
    private static final long SIZE = 1 << 20;
    private static final String NAME = "vhost-ram";
    private static final Pattern COMMAND = Pattern.compile("\"execute\":\"([^\"]+)\"");

    @TempDir
    Path folder;

    @BeforeEach
    void needed() {
        Requirements.foreignTracking();
    }

    private interface Trial {
        void run(TrackedBackends backends, MemorySegment memory)
                throws IOException, TrackerException;
    }

    /** As of a guest that moves: the backend is tracked, and obeys. */
    private void whileItMoves(GuestSetup.Injector injector, Trial trial)
            throws IOException, TrackerException {
        Path socket = folder.resolve("back");
        SharedMemory shared = SharedMemory.create(NAME, SIZE);
        String file = shared.procPath().toString();
        try (MappedRegions regions = new MappedRegions(RegionTable.single("ram", SIZE),
                        List.of(new RegionFiles.Part(shared, 0)));
                ServerSocketChannel server =
                        ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            MemorySegment memory = regions.window(0);
            StrangerProgram.set(memory, StrangerProgram.COMMAND, StrangerProgram.PAUSE);
            try (Stranger backend = Stranger.startProgram("write", file, "1", socket.toString());
                    SocketChannel connection = server.accept()) {
                assertTrue(connection.isOpen());
                Stranger.await("the backend to obey", () -> StrangerProgram.get(memory,
                        StrangerProgram.STATE) == StrangerProgram.PAUSE);
                TrackedBackends backends = TrackedBackends.of(ProcessHandle.current().pid(),
                        List.of(part()), devices(socket));
                assertEquals(List.of("vhost-user backend " + backend.pid() + " (java)"),
                        backends.names());
                List<UserfaultTracker> trackers = backends.track(injector, regions);
                try {
                    trackers.getFirst().start();
                    backends.requireUnchanged();
                    trial.run(backends, memory);
                } finally {
                    trackers.forEach(UserfaultTracker::close);
                }
            }
        }
    }

    private static MemoryPart part() throws IOException {
        ProcessMaps.Mapping mapping = ProcessMaps.of(ProcessHandle.current().pid()).stream()
                .filter(one -> one.path().startsWith("/memfd:" + NAME)).findFirst().orElseThrow();
        return new MemoryPart(new QemuFacts.Backend("ram", "memory-backend-memfd", SIZE, true, "",
                4096), mapping, 0, 0, Optional.empty());
    }

    /** A QEMU with one such device, at whose socket its backend connects. */
    private VhostUserDevices devices(Path socket) throws IOException {
        QemuFacts facts = new QemuFacts("vm", "7.2.0", "pc-q35-7.2", "kvm", "max-x86_64-cpu", "",
                1, List.of(), new TreeMap<>(Map.of("disk0", "vhost-user-blk-pci")),
                new TreeMap<>(), new TreeMap<>(), List.of());
        Map<String, String> answers = Map.of("qmp_capabilities", "{}",
                "human-monitor-command", "\"\"", "qom-list", "[]", "qom-get", "\"back\"",
                "x-query-virtio", "[]", "query-chardev", "[{\"filename\": \"unix:" + socket
                + ",server=on\", \"label\": \"back\"}]");
        try (FakeMonitor monitor = new FakeMonitor(folder.resolve("qmp"), client -> {
            client.say(FakeMonitor.GREETING);
            for (String line = client.in().readLine(); line != null;
                    line = client.in().readLine()) {
                Matcher command = COMMAND.matcher(line);
                Matcher id = FakeMonitor.ID.matcher(line);
                assertTrue(command.find() && id.find(), line);
                client.say("{\"return\": " + answers.get(command.group(1)) + ", \"id\": "
                        + id.group(1) + "}\n");
            }
        }); QemuControl qemu = new QemuControl(
                QmpClient.connect(monitor.path(), Requirements.HANG))) {
            return VhostUserDevices.of(qemu, facts);
        }
    }

    private interface Check {
        void check() throws GuestException;
    }

    private static boolean isRefused(Check check) {
        try {
            check.check();
            return false;
        } catch (GuestException e) {
            assertTrue(e.getMessage().contains("(java) forked while the guest moved"),
                    e.getMessage());
            return true;
        }
    }

    @Test
    void aForkEndsTheMoveBeforeTheChildWrites() throws IOException, TrackerException {
        whileItMoves(pid -> RemoteUserfault.open(pid).release(), (backends, memory) -> {
            StrangerProgram.set(memory, StrangerProgram.COMMAND, StrangerProgram.FORK);
            Stranger.await("a fork to end the move", () -> {
                boolean refused = isRefused(backends::requireUnchanged);
                // It waits until it is heard.
                assertTrue(refused || StrangerProgram.get(memory, StrangerProgram.STATE)
                        == StrangerProgram.PAUSE);
                return refused;
            });
        });
    }

    /** What it pins before a harvest and fills behind it is marked at neither. */
    @Test
    void oneThatBeginsToPinPagesEndsTheMove() throws IOException, TrackerException {
        whileItMoves(pid -> RemoteUserfault.open(pid).release(), (backends, memory) -> {
            StrangerProgram.set(memory, StrangerProgram.COMMAND, StrangerProgram.OPEN_DIRECT);
            Stranger.await("the backend to obey", () -> StrangerProgram.get(memory,
                    StrangerProgram.STATE) == StrangerProgram.OPEN_DIRECT);
            assertTrue(backends.changes().stream().map(Objection::what).anyMatch(
                    one -> one.contains("with O_DIRECT")), () -> backends.changes().toString());
        });
    }

    /** The fork was read by the guard, because the agent was stopped for too long. */
    @Test
    void oneThatTheGuardLetGoEndsTheMoveToo() throws IOException, TrackerException {
        boolean[] gone = new boolean[1];
        whileItMoves(new GuestSetup.Injector() {
            @Override
            public int userfault(long pid) throws IOException {
                return RemoteUserfault.open(pid).release();
            }

            @Override
            public boolean letForkGo() {
                return gone[0];
            }
        }, (backends, memory) -> {
            gone[0] = true;
            assertTrue(isRefused(backends::requireUnchanged), "the guard was not asked");
            assertTrue(isRefused(() -> backends.requireStill(RegionTable.single("ram", SIZE))),
                    "nor for the last time");
        });
    }
}
