package io.pageferry.agent.guest.kvm;

import io.pageferry.agent.host.linux.kvm.Registers;
import io.pageferry.agent.host.linux.kvm.SpecialRegisters;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * All of the machine that is not memory, as plain bytes: a mark, a version, then the registers as
 * the kernel lays them out. This guest uses nothing else of a processor; a real one has more
 * (floating point, model-specific registers, interrupt controllers, clocks).
 *
 * @param general registers
 * @param special registers
 */
record MachineState(Registers general, SpecialRegisters special) {
    private static final int MARK = 0x50464B56; // PFKV
    private static final int VERSION = 1;
    private static final int BYTES =
            2 * Integer.BYTES + Registers.BYTES + SpecialRegisters.BYTES;

    byte[] bytes() {
        return ByteBuffer.allocate(BYTES).putInt(MARK).putInt(VERSION).put(general.bytes())
                .put(special.bytes()).array();
    }

    /** Reads what {@link #bytes} gave, or what a peer made of it. */
    static MachineState of(byte[] bytes) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (bytes.length < 2 * Integer.BYTES || in.getInt() != MARK) {
            throw new IOException("this is no state of a kvm guest");
        }
        int version = in.getInt();
        if (version != VERSION) {
            throw new IOException("a state of version " + version + "; known here is " + VERSION);
        }
        if (bytes.length != BYTES) {
            throw new IOException("a state of " + bytes.length + " bytes instead of " + BYTES);
        }
        byte[] general = new byte[Registers.BYTES];
        byte[] special = new byte[SpecialRegisters.BYTES];
        in.get(general).get(special);
        return new MachineState(Registers.of(general), SpecialRegisters.of(special));
    }
}
