package io.pageferry.agent.host.linux.kvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * The general registers of a vCPU ({@code struct kvm_regs}): plain bytes, the same on every x86-64
 * host. Not thread-safe.
 */
public final class Registers {
    /** Bytes of all of them. */
    public static final int BYTES = 144;

    /** Which is where: each has 8 bytes, in this order. */
    public enum Name {
        /** Accumulator. */
        RAX,
        /** General. */
        RBX,
        /** General. */
        RCX,
        /** General. */
        RDX,
        /** General. */
        RSI,
        /** General. */
        RDI,
        /** Stack. */
        RSP,
        /** General. */
        RBP,
        /** General. */
        R8,
        /** General. */
        R9,
        /** General. */
        R10,
        /** General. */
        R11,
        /** General. */
        R12,
        /** General. */
        R13,
        /** General. */
        R14,
        /** General. */
        R15,
        /** Next instruction. */
        RIP,
        /** Flags; bit 1 is always set. */
        RFLAGS
    }

    private final MemorySegment bytes;

    private Registers(byte[] bytes) {
        this.bytes = MemorySegment.ofArray(bytes);
    }

    /**
     * Makes a set of registers that are 0, but for the flag that must be set.
     *
     * @return fresh
     */
    public static Registers fresh() {
        return new Registers(new byte[BYTES]).set(Name.RFLAGS, 2);
    }

    /**
     * Reads a set from its bytes.
     *
     * @param bytes exactly {@link #BYTES}, copied
     * @return the registers
     */
    public static Registers of(byte[] bytes) {
        if (bytes.length != BYTES) {
            throw new IllegalArgumentException(bytes.length + " bytes of registers");
        }
        return new Registers(bytes.clone());
    }

    /**
     * Returns one register.
     *
     * @param name which
     * @return its 64 bits
     */
    public long get(Name name) {
        return bytes.get(JAVA_LONG_UNALIGNED, (long) name.ordinal() * Long.BYTES);
    }

    /**
     * Sets one here; the vCPU has it once it was given the whole set.
     *
     * @param name  which
     * @param value its 64 bits
     * @return this
     */
    public Registers set(Name name, long value) {
        bytes.set(JAVA_LONG_UNALIGNED, (long) name.ordinal() * Long.BYTES, value);
        return this;
    }

    /** {@return a copy of the bytes} */
    public byte[] bytes() {
        return ((byte[]) bytes.heapBase().orElseThrow()).clone();
    }
}
