package io.pageferry.agent.guest.qemu.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoMachine.Memory;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.e2e.Sampled;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.memory.RegionMemory;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A QEMU that never runs: its firmware loader put a word of its own into each memory backend. */
@Sampled
class QemuMemoryTest {
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final long MIB = 1 << 20;
    /** Where each node's word is; nothing of the machine itself lies there. */
    private static final long AT = 8 * MIB;

    @TempDir
    Path folder;

    private DemoQemu start(DemoMachine.Memory memory, String... more) throws IOException {
        return DemoQemu.source(new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, 192 * MIB,
                2, memory, List.of(more)), folder.resolve("vm"));
    }

    private static String word(long address, int value) {
        return "loader,addr=" + address + ",data=" + value + ",data-len=8";
    }

    private DemoQemu twoAlike(DemoMachine.Memory memory) throws IOException {
        return start(memory, "-S", "-device", word(AT, 4711),
                "-device", word(96 * MIB + AT, 4712));
    }

    @Test
    void twoMemfdsOfOneSizeAreToldApart() throws IOException {
        assertToldApart(Memory.TWO_MEMFDS);
    }

    @Test
    void twoFilesOfOneFolderAreToldApart() throws IOException {
        assertToldApart(Memory.TWO_FILES);
    }

    private void assertToldApart(DemoMachine.Memory memory) throws IOException {
        try (DemoQemu qemu = twoAlike(memory); QemuControl control = qemu.control()) {
            List<QemuFacts.Backend> backends = QemuProbe.read(control).memory();
            assertEquals(2, backends.size());
            // In any order, and each alone: it is never the order that tells.
            for (List<QemuFacts.Backend> some : List.of(backends, backends.reversed(),
                    List.of(backends.getFirst()), List.of(backends.getLast()))) {
                QemuMemory found = QemuMemory.find(qemu.process().pid(), control, some);
                try (RegionMemory regions = found.map(false);
                        Arena arena = Arena.ofConfined()) {
                    MemorySegment read = arena.allocate(PageGeometry.PAGE_SIZE);
                    for (int i = 0; i < some.size(); i++) {
                        long word = some.get(i).id().equals("node0") ? 4711 : 4712;
                        assertEquals(some.get(i).id(), regions.regions().regions().get(i).name());
                        long page = regions.regions().firstPage(i)
                                + AT / PageGeometry.PAGE_SIZE;
                        assertEquals(1, regions.read(page, 1, read, 0));
                        assertEquals(word, read.get(WORD, AT % PageGeometry.PAGE_SIZE));
                    }
                }
            }
            Map<String, String> attributes =
                    QemuMemory.find(qemu.process().pid(), control, backends).attributes();
            assertEquals("0x0", attributes.get("ram.at.node0"));
            assertEquals("0x6000000", attributes.get("ram.at.node1"));
        }
    }

    @Test
    void whatQemuDoesNotTellIsNotGuessed() throws IOException {
        try (DemoQemu qemu = twoAlike(Memory.TWO_MEMFDS); QemuControl control = qemu.control()) {
            List<QemuFacts.Backend> backends = QemuProbe.read(control).memory();
            GuestException refused = assertThrows(GuestException.class,
                    () -> QemuMemory.find(qemu.process().pid(), Map.of(), backends));
            assertTrue(refused.getMessage().contains("2 mappings"), refused.getMessage());
            assertTrue(refused.remedy().contains("mem-path of its own"), refused.remedy());
        }
    }

    @Test
    void aNameThatBeginsLikeAnotherIsAnother() throws IOException {
        Path file = Path.of("/dev/shm", "pageferry-test-" + ProcessHandle.current().pid());
        try (DemoQemu qemu = start(Memory.FILE, "-S", "-m", "slots=2,maxmem=1G",
                "-object", "memory-backend-file,id=more,size=192M,share=on,mem-path=" + file,
                "-object", "memory-backend-file,id=other,size=192M,share=on,mem-path=" + file + "1",
                "-device", "pc-dimm,memdev=more", "-device", "pc-dimm,memdev=other");
                QemuControl control = qemu.control()) {
            long pid = qemu.process().pid();
            List<QemuFacts.Backend> backends = QemuProbe.read(control).memory();
            Map<String, String> told = QemuMemory.find(pid, control, backends).attributes();
            Map<String, String> named = QemuMemory.find(pid, Map.of(), backends).attributes();
            for (String id : List.of("ram", "more", "other")) {
                assertEquals(told.get("host.ram." + id), named.get("host.ram." + id), id);
            }
            ProcessMaps.FileId right = ProcessMaps.fileId(file);
            assertTrue(named.get("host.ram.more").endsWith(":" + right.device() + ":"
                    + right.inode()), named.toString());
        } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(Path.of(file + "1"));
        }
    }

    @Test
    void oneFileForTwoIsRefused() throws IOException {
        Path file = Path.of("/dev/shm", "pageferry-test2-" + ProcessHandle.current().pid());
        String backend = "memory-backend-file,size=64M,share=on,mem-path=" + file + ",id=";
        try (DemoQemu qemu = start(Memory.FILE, "-S", "-m", "slots=2,maxmem=1G",
                "-object", backend + "a", "-object", backend + "b",
                "-device", "pc-dimm,memdev=a", "-device", "pc-dimm,memdev=b");
                QemuControl control = qemu.control()) {
            GuestException refused = assertThrows(GuestException.class, () -> QemuMemory.find(
                    qemu.process().pid(), control, QemuProbe.read(control).memory()));
            assertTrue(refused.getMessage().contains("same part of one file"),
                    refused.getMessage());
        } finally {
            Files.deleteIfExists(file);
        }
    }

    @Test
    void whatDoesNotFitIsSaid() throws IOException {
        try (DemoQemu qemu = twoAlike(Memory.TWO_MEMFDS); QemuControl control = qemu.control()) {
            QemuMemory memory = QemuMemory.find(qemu.process().pid(), control,
                    QemuProbe.read(control).memory());
            Map<String, String> ours = new HashMap<>(memory.attributes());
            GuestException same = assertThrows(GuestException.class,
                    () -> memory.requireFits(ours));
            assertTrue(same.getMessage().contains("in the same file"), same.getMessage());
            ours.keySet().removeIf(key -> key.startsWith("host."));
            memory.requireFits(ours);
            memory.requireFits(Map.of());
            String here = ours.put("ram.at.node1", ours.get("ram.at.node0"));
            assertEquals("0x6000000", here);
            GuestException moved = assertThrows(GuestException.class,
                    () -> memory.requireFits(ours));
            assertEquals(ErrorCode.GUEST_MISMATCH, moved.code());
            assertTrue(moved.remedy().contains("-numa node,memdev="), moved.remedy());
        }
    }
}
