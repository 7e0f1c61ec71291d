package io.pageferry.agent.guest.kvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.kvm.Registers;
import io.pageferry.agent.host.linux.kvm.Registers.Name;
import io.pageferry.agent.host.linux.kvm.SpecialRegisters;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The device state on its way: what a peer makes of it is refused with a reason. */
class MachineStateTest {
    private static final long MEMORY = 1L << 20;

    private final MachineState state = new MachineState(sound(),
            SpecialRegisters.of(new byte[SpecialRegisters.BYTES]).flat());

    private static Registers sound() {
        return Registers.fresh().set(Name.RCX, MEMORY).set(Name.RDI, 0x20000).set(Name.R15, -5);
    }

    @Test
    void comesBackAsItWas() throws IOException {
        MachineState back = MachineState.of(state.bytes());
        assertArrayEquals(state.bytes(), back.bytes());
        assertEquals(-5, back.general().get(Name.R15));
        assertEquals(2, back.general().get(Name.RFLAGS));
    }

    @Test
    void isRefusedWhenItIsAnotherOne() {
        byte[] bytes = state.bytes();
        byte[] older = bytes.clone();
        older[7] = 9;
        byte[] foreign = bytes.clone();
        foreign[0]++;
        assertReason("version 9", older);
        assertReason("no state of a kvm guest", foreign);
        assertReason("no state of a kvm guest", new byte[0]);
        assertReason("463 bytes instead of 464", Arrays.copyOf(bytes, bytes.length - 1));
        assertReason("465 bytes", Arrays.copyOf(bytes, bytes.length + 1));
    }

    private static void assertReason(String words, byte[] bytes) {
        IOException refused = assertThrows(IOException.class, () -> MachineState.of(bytes));
        assertTrue(refused.getMessage().contains(words), refused.getMessage());
    }

    @Test
    void registersThatPointOutsideAreNotSound() {
        assertTrue(GuestProgram.isSound(sound(), MEMORY));
        for (long end : new long[] {MEMORY + 4096, 0x10000, MEMORY - 1, -4096}) {
            assertFalse(GuestProgram.isSound(sound().set(Name.RCX, end), MEMORY));
        }
        for (long page : new long[] {0, 0x20001, MEMORY + 4096, -4096}) {
            assertFalse(GuestProgram.isSound(sound().set(Name.RDI, page), MEMORY));
        }
    }
}
