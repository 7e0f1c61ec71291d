package io.pageferry.agent.guest.qemu.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pageferry.agent.guest.qemu.check.QemuFacts;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class WaitingMemoryTest {
    @Test
    void readsBackendsOfArgumentsOldAndNew() throws IOException {
        assertEquals(List.of(
                new QemuFacts.Backend("pc.ram", "memory-backend-ram", 268435456, false, "", 4096),
                new QemuFacts.Backend("ram-node0", "memory-backend-memfd", 4096, true, "", 4096),
                new QemuFacts.Backend("pc.ram", "memory-backend-file", 8192, true,
                        "/dev/shm/x", 4096)),
                WaitingMemory.backends("/usr/bin/qemu-system-x86_64", "-object",
                        "{\"qom-type\":\"secret\",\"id\":\"masterKey0\"}", "-object",
                        "{\"qom-type\":\"memory-backend-ram\",\"id\":\"pc.ram\","
                        + "\"size\":268435456}", "-object",
                        "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"ram-node0\","
                        + "\"share\":true,\"size\":4096}", "-object",
                        "memory-backend-file,id=pc.ram,mem-path=/dev/shm/x,share=yes,size=8192",
                        "-m", "256"));
    }

    @Test
    void doesNotGuessWhatItCannotRead() {
        assertThrows(IOException.class, () -> WaitingMemory.backends("-object", "{\"qom-type\""));
    }
}
