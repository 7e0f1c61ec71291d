package io.pageferry.agent.guest.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestKind.Finding;
import io.pageferry.agent.guest.GuestKind.Verdict;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.host.cgroup.Hierarchy;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.TinyProgram;
import io.pageferry.agent.host.linux.userfault.KernelProbe;
import io.pageferry.agent.host.linux.userfault.RemoteUserfault;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.memory.Region;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle.Condition;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which processes can be moved, which not, and why. */
class ProcessKindTest {
    private static final long SIZE = (8L << 20) + 100;

    @TempDir
    Path folder;

    private final ProcessKind kind = new ProcessKind();

    @Test
    void whoMapsAFileHasARegionAndItsHolesStay() throws IOException {
        try (SharedMemory shared = SharedMemory.create("memory", SIZE);
                Stranger writer = writer(shared.procPath());
                ProcessGuest guest = open(writer, "?map=/memfd:memory", TrackerChoice.AUTO)) {
            List<Region> regions = guest.memory().regions().regions();
            assertEquals(List.of("/memfd:memory"), regions.stream().map(Region::name).toList());
            // The last page is there, although the file ends in it.
            assertEquals((8L << 20) + 4096, regions.getFirst().size());
            assertTrue(guest.isRunning());
            Stranger.await("its first write", () -> guest.describe().dataBytes() > 0);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment read = arena.allocate(4096);
                for (long page = guest.memory().nextData(0); page < regions.getFirst().pages();
                        page = guest.memory().nextData(page + 1)) {
                    assertEquals(1, guest.memory().read(page, 1, read, 0));
                }
            }
            assertEquals(4096, guest.describe().dataBytes());
            assertEquals("process:" + writer.pid(), guest.identity().replaceFirst(":[0-9]+$", ""));
        }
    }

    @Test
    void everySharedMappingIsARegionWhereNoneIsNamed() throws IOException {
        Path file = file("memory");
        try (Stranger writer = writer(file);
                ProcessGuest guest = open(writer, "", TrackerChoice.SCAN)) {
            String names = guest.memory().regions().regions().stream().map(Region::name)
                    .collect(Collectors.joining(" "));
            // A JVM keeps its counters in a file of its own.
            assertTrue(names.contains(file.toString()), names);
            assertTrue(names.contains("hsperfdata"), names);
            assertEquals("scan", guest.tracker().name());
        }
    }

    @Test
    void aSecondWriterIsRefusedWhoeverItIs() throws IOException {
        Path file = file("memory");
        try (Stranger writer = writer(file); Stranger other = writer(file)) {
            Finding row = row(rows(writer, "?map=" + file), "writers");
            assertEquals(Verdict.REFUSED, row.verdict());
            assertTrue(row.found().contains(Long.toString(other.pid())), row.found());
            refused(writer, "?map=" + file, TrackerChoice.AUTO, "writes to its memory too");
            refused(writer, "?map=" + file, TrackerChoice.SCAN, "writes to its memory too");
        }
    }

    @Test
    void whatChangesWhileItMovesIsSeen() throws IOException {
        Path file = file("memory");
        try (Stranger writer = writer(file);
                ProcessGuest guest = open(writer, "?map=" + file, TrackerChoice.AUTO)) {
            guest.requireUnchanged();
            try (Stranger late = writer(file)) {
                Stranger.await("the second writer to be seen", () -> changed(guest,
                        "process " + late.pid() + " maps the memory"));
            }
            guest.pause();
            guest.saveState(OutputStream.nullOutputStream());
            guest.resume();
            try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
                access.setLength(SIZE + 1);
            }
            assertTrue(changed(guest, "another size"));
        }
    }

    private static boolean changed(ProcessGuest guest, String how) {
        try {
            guest.requireUnchanged();
            return false;
        } catch (GuestException e) {
            assertTrue(e.getMessage().contains(how), e::getMessage);
            return true;
        }
    }

    @Test
    void whoStandsStillAlreadyIsNotLetGo() throws IOException {
        Path file = file("memory");
        try (Stranger writer = writer(file)) {
            writer.signal(Processes.Signal.STOP);
            Stranger.await("stop", () -> Processes.isStopped(writer.pid()));
            try (ProcessGuest guest = open(writer, "?map=" + file, TrackerChoice.AUTO)) {
                assertFalse(guest.isRunning());
                guest.pause();
                assertFalse(guest.resumedExternally());
                writer.signal(Processes.Signal.CONT);
                Stranger.await("somebody's word to be heard", guest::resumedExternally);
                writer.signal(Processes.Signal.STOP);
                Stranger.await("stop", () -> Processes.isStopped(writer.pid()));
            }
            assertTrue(Processes.isStopped(writer.pid()));
        }
    }

    @Test
    void whatAnotherMoveFrozeStaysFrozen() throws IOException {
        Path file = file("memory");
        try (Stranger writer = writer(file);
                ProcessGuest first = open(writer, "?map=" + file, TrackerChoice.SCAN)) {
            Assumptions.assumeFalse("stop".equals(first.recoveryAddress().get("freezer")),
                    "cgroup v1 or v2 freezer");
            Map<String, String> second;
            try (ProcessGuest guest = open(writer, "?map=" + file, TrackerChoice.SCAN)) {
                first.pause();
                second = guest.recoveryAddress();
            }
            assertFalse(first.resumedExternally());
            try (ProcessGuestHandle handle = new ProcessGuestHandle(second)) {
                assertEquals(Condition.PAUSED, handle.condition());
                handle.resume();
                handle.leave();
                assertEquals(Condition.PAUSED, handle.condition());
            }
            refused(writer, "?map=" + file, TrackerChoice.SCAN, "another move holds it frozen");
            assertEquals(Verdict.REFUSED, row(rows(writer, "?map=" + file), "pause").verdict());
            first.resume();
            assertTrue(first.isRunning());
        }
    }

    /** What a journal names is gone, and its number was given to somebody else. */
    @ParameterizedTest
    @CsvSource({"false,stop", "true,stop", "false,v2", "true,v2", "true,v1"})
    void aLaterProcessOfTheSameNumberIsLeftAlone(boolean tree, String means) throws IOException {
        try (Stranger stranger = Stranger.start("sleep", "1000")) {
            long start = Processes.startTicks(stranger.pid()).orElseThrow();
            Hierarchy hierarchy = Hierarchy.find(Path.of("/proc"), "freezer").stream()
                    .filter(one -> means.equals("v" + one.version())).findFirst().orElse(null);
            Assumptions.assumeTrue(means.equals("stop") || hierarchy != null,
                    "cgroup v1 or v2 freezer");
            String own = hierarchy == null ? "" : hierarchy.groupOf(
                    PausedProcess.proc(stranger.pid())).toString();
            for (String after : List.of("quit", "resume")) {
                stranger.signal(Processes.Signal.STOP);
                Stranger.await("stop", () -> Processes.isStopped(stranger.pid()));
                Map<String, String> earlier = Map.of("pid", "" + stranger.pid(), "start",
                        "" + (start - 1), "boot", Processes.bootId(), "tree", "" + tree,
                        "freezer", means, "group", own, "after", after);
                Map<String, String> beforeTheBoot = new HashMap<>(earlier);
                beforeTheBoot.putAll(Map.of("start", "" + start, "boot", "another"));
                for (Map<String, String> gone : List.of(earlier, beforeTheBoot)) {
                    try (ProcessGuestHandle handle = new ProcessGuestHandle(gone)) {
                        assertEquals(Condition.GONE, handle.condition());
                        handle.resume();
                        handle.leave();
                        handle.end();
                    }
                }
                assertTrue(Processes.isAlive(stranger.pid()));
                assertTrue(Processes.isStopped(stranger.pid()));
            }
        }
    }

    @Test
    void privateMemoryAloneIsRefused() throws IOException {
        try (Stranger sleeper = Stranger.start("sleep", "1000")) {
            refused(sleeper, "", TrackerChoice.SCAN, "no shared mapping");
            refused(sleeper, "?map=/dev/shm/none", TrackerChoice.AUTO,
                    "no shared mapping of /dev/shm/none");
        }
    }

    @Test
    void a32BitProcessMovesByItsContentsOnly() throws IOException {
        try (Stranger small = TinyProgram.start32Bit(folder)) {
            refused(small, "", TrackerChoice.AUTO, "not a 64-bit x86");
            assertEquals(Verdict.SCAN_ONLY, row(rows(small, ""), "host").verdict());
            try (ProcessGuest guest = open(small, "", TrackerChoice.SCAN)) {
                assertEquals("/dev/zero",
                        guest.memory().regions().regions().getFirst().name());
            }
        }
    }

    @Test
    void whatTheKernelWritesToByItselfIsRefused() throws IOException {
        try (Stranger ring = TinyProgram.startRing(folder)) {
            Assumptions.assumeTrue(ProcessMaps.of(ring.pid()).stream().anyMatch(one ->
                    one.path().contains("io_uring")), "no io_uring here");
            refused(ring, "", TrackerChoice.SCAN, "anon_inode:[io_uring]");
            assertEquals(Verdict.REFUSED, row(rows(ring, ""), "devices").verdict());
        }
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '"', value = {"/dev/shm/a,true", "/memfd:a (deleted),true",
        "/dev/zero (deleted),true", "/SYSV00000000 (deleted),true", "/var/a,true",
        "/dev/hugepages/a,true", "/dev/dri/card0,false", "/dev/mem,false",
        "anon_inode:kvm-vcpu:0,false", "/[aio] (deleted),false", "socket:[1],false"})
    void devicesAreTold(String path, boolean file) {
        assertEquals(file, SharedMappings.isFile(new ProcessMaps.Mapping(4096, 8192, "rw-s", 0,
                new ProcessMaps.FileId(1, 1), path)));
    }

    @Test
    void whoeverWouldFreezeThisCommandIsRefused() {
        long self = ProcessHandle.current().pid();
        GuestException refused = assertThrows(GuestException.class, () -> kind.openSource(
                GuestUri.parse("process:" + self), setup(TrackerChoice.SCAN)));
        assertTrue(refused.getMessage().contains("this command itself"), refused::getMessage);
        long parent = ProcessHandle.current().parent().orElseThrow().pid();
        refused = assertThrows(GuestException.class, () -> kind.openSource(
                GuestUri.parse("process:" + parent), setup(TrackerChoice.SCAN)));
        assertTrue(refused.getMessage().contains("runs inside it"), refused::getMessage);
    }

    @ParameterizedTest
    @CsvSource({"process:", "process:x", "process:0", "process:-1", "process:1?maps=/x",
        "process:1/2"})
    void nonsenseIsNoProcess(String uri) {
        assertThrows(IllegalArgumentException.class, () -> kind.openSource(GuestUri.parse(uri),
                setup(TrackerChoice.AUTO)));
        assertThrows(IllegalArgumentException.class, () -> kind.inspect(GuestUri.parse(uri)));
    }

    @Test
    void nobodyIsThere() {
        GuestException refused = assertThrows(GuestException.class, () -> kind.openSource(
                GuestUri.parse("process:4194304"), setup(TrackerChoice.AUTO)));
        assertTrue(refused.getMessage().contains("there is no process"), refused::getMessage);
        assertFalse(refused.remedy().isEmpty());
        assertThrows(IllegalArgumentException.class, () -> kind.openTarget(
                GuestUri.parse("process:1"), setup(TrackerChoice.AUTO)));
    }

    private Path file(String name) throws IOException {
        Path file = folder.resolve(name);
        try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
            access.setLength(SIZE);
        }
        return file;
    }

    private static Stranger writer(Path file) throws IOException {
        ProcessMaps.FileId id = ProcessMaps.fileId(file);
        Stranger writer = Stranger.startProgram("write", file.toString(), "1");
        Stranger.await("mapping", () -> maps(writer.pid(), one -> one.file().equals(id)));
        return writer;
    }

    private static boolean maps(long pid, Predicate<ProcessMaps.Mapping> wanted) {
        try {
            return ProcessMaps.of(pid).stream().anyMatch(wanted);
        } catch (IOException e) {
            return false;
        }
    }

    private ProcessGuest open(Stranger of, String query, TrackerChoice tracker) throws IOException {
        if (tracker != TrackerChoice.SCAN) {
            List<KernelProbe.Step> steps = KernelProbe.run();
            Assumptions.assumeTrue(KernelProbe.canTrackOthers(steps), KernelProbe.summary(steps));
        }
        return (ProcessGuest) kind.openSource(GuestUri.parse("process:" + of.pid() + query),
                setup(tracker));
    }

    private static GuestSetup setup(TrackerChoice tracker) {
        return new GuestSetup(tracker, false, pid -> RemoteUserfault.open(pid).release(),
                After.KEEP);
    }

    private void refused(Stranger who, String query, TrackerChoice tracker, String why) {
        GuestException refused = assertThrows(GuestException.class,
                () -> open(who, query, tracker).close());
        assertTrue(refused.getMessage().contains(why), refused::getMessage);
        assertFalse(refused.remedy().isEmpty(), refused::getMessage);
    }

    private List<Finding> rows(Stranger who, String query) throws IOException {
        return kind.inspect(GuestUri.parse("process:" + who.pid() + query));
    }

    private static Finding row(List<Finding> rows, String what) {
        return rows.stream().filter(row -> row.what().equals(what)).findFirst()
                .orElseThrow(() -> new AssertionError(what + " is not among " + rows));
    }
}
