package io.pageferry.agent.host.cgroup;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Trees of files as the kernel shows them, of both versions. */
class MemoryRoomTest {
    private static final long PID = 4711;
    private static final long NONE = 9223372036854771712L;

    @TempDir
    Path folder;

    private Path proc;
    private Path v1;
    private Path v2;

    @BeforeEach
    void mount() throws IOException {
        proc = Files.createDirectories(folder.resolve("proc"));
        v1 = Files.createDirectories(folder.resolve("cgroup/memory"));
        v2 = Files.createDirectories(folder.resolve("cgroup/unified"));
        Files.createDirectories(proc.resolve("self"));
        Files.createDirectories(proc.resolve("" + PID));
        Files.writeString(proc.resolve("self/mountinfo"),
                "30 24 0:26 / " + v2 + " rw - cgroup2 cgroup2 rw\n"
                + "31 24 0:27 / " + v1 + " rw - cgroup cgroup rw,memory\n");
    }

    private void in(String unified, String memory) throws IOException {
        Files.writeString(proc.resolve(PID + "/cgroup"),
                "4:memory:" + memory + "\n0::" + unified + "\n");
    }

    private void group2(String name, String max, long current, long cached) throws IOException {
        Path group = Files.createDirectories(v2.resolve(name));
        Files.writeString(group.resolve("memory.max"), max + "\n");
        Files.writeString(group.resolve("memory.current"), current + "\n");
        Files.writeString(group.resolve("memory.stat"), "anon 5\nshmem 700\ninactive_file "
                + cached + "\nactive_file 1\n");
    }

    private void group1(String name, long limit, long usage, long cached) throws IOException {
        Path group = Files.createDirectories(v1.resolve(name));
        Files.writeString(group.resolve("memory.limit_in_bytes"), limit + "\n");
        Files.writeString(group.resolve("memory.usage_in_bytes"), usage + "\n");
        Files.writeString(group.resolve("memory.stat"), "inactive_file 99\ntotal_inactive_file "
                + cached + "\ntotal_active_file 2\n");
    }

    @Test
    void withoutALimitNothingIsSaid() throws IOException {
        in("/", "/");
        assertEquals(Optional.empty(), MemoryRoom.of(proc, PID));
        group2("vm", "max", 1000, 0);
        in("/vm", "/");
        assertEquals(Optional.empty(), MemoryRoom.of(proc, PID));
    }

    @Test
    void whatTheGroupHasLeftIsTheLimitLessWhatItCannotDrop() throws IOException {
        group2("vm", "5000", 3000, 400);
        in("/vm", "/");
        assertEquals(Optional.of(new MemoryRoom(5000 - (3000 - 401), v2.resolve("vm"),
                "memory.max")), MemoryRoom.of(proc, PID));
        group2("vm", "100", 3000, 400);
        assertEquals(0, MemoryRoom.of(proc, PID).orElseThrow().bytes());
    }

    @Test
    void theTightestGroupUpTheTreeCounts() throws IOException {
        group2("machine.slice", "2000", 1900, 0);
        group2("machine.slice/vm.scope", "5000", 1000, 0);
        group2("machine.slice/vm.scope/inner", "max", 1000, 0);
        in("/machine.slice/vm.scope/inner", "/");
        assertEquals(Optional.of(new MemoryRoom(101, v2.resolve("machine.slice"),
                "memory.max")), MemoryRoom.of(proc, PID));
    }

    @Test
    void versionOneCountsToo() throws IOException {
        group1("", NONE, 1 << 20, 0);
        group1("vm", 5000, 3000, 400);
        group2("vm", "9000", 0, 0);
        in("/vm", "/vm");
        assertEquals(Optional.of(new MemoryRoom(5000 - (3000 - 402), v1.resolve("vm"),
                "memory.limit_in_bytes")), MemoryRoom.of(proc, PID));
    }

    /** As in a container that has its own part of the tree mounted. */
    @Test
    void aGroupThatIsNotVisibleHidesNoOther() throws IOException {
        group1("vm", 5000, 3000, 0);
        in("/../elsewhere", "/vm");
        assertEquals(2002, MemoryRoom.of(proc, PID).orElseThrow().bytes());
        in("/vm", "/../elsewhere");
        assertEquals(Optional.empty(), MemoryRoom.of(proc, PID));
    }

    @Test
    void withoutProcNothingIsSaid() {
        assertEquals(Optional.empty(), MemoryRoom.of(folder.resolve("no proc"), PID));
    }
}
