package io.pageferry.agent.host.linux.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * Segments, tables and control registers of a vCPU ({@code struct kvm_sregs}) as plain bytes. Not
 * thread-safe.
 */
public final class SpecialRegisters {
    /** Bytes of all of them. */
    public static final int BYTES = 312;

    // struct kvm_segment, 24 bytes each: cs ds es fs gs ss are where 32-bit code looks.
    private static final int CS = 0;
    private static final int[] DATA = {24, 48, 72, 96, 120};
    private static final int LIMIT = 8;
    private static final int SELECTOR = 12;
    private static final int TYPE = 14;
    private static final int PRESENT = 15;
    private static final int DPL = 16;
    private static final int DB = 17;
    private static final int S = 18;
    private static final int L = 19;
    private static final int G = 20;
    private static final int CODE_TYPE = 11;
    private static final int DATA_TYPE = 3;
    private static final int CR0 = 224;
    private static final long CR0_PE = 1;

    private final MemorySegment bytes;

    private SpecialRegisters(byte[] bytes) {
        this.bytes = MemorySegment.ofArray(bytes);
    }

    /**
     * Reads a set from its bytes.
     *
     * @param bytes exactly {@link #BYTES}, copied
     * @return the registers
     */
    public static SpecialRegisters of(byte[] bytes) {
        if (bytes.length != BYTES) {
            throw new IllegalArgumentException(bytes.length + " bytes of special registers");
        }
        return new SpecialRegisters(bytes.clone());
    }

    /**
     * Turns what a fresh vCPU has into 32-bit protected mode without paging: an address is the
     * guest's physical one.
     *
     * @return this
     */
    public SpecialRegisters flat() {
        segment(CS, CODE_TYPE, 8);
        for (int at : DATA) {
            segment(at, DATA_TYPE, 16);
        }
        bytes.set(JAVA_LONG_UNALIGNED, CR0, bytes.get(JAVA_LONG_UNALIGNED, CR0) | CR0_PE);
        return this;
    }

    /** From 0 to 4 GiB. */
    private void segment(int at, int type, int selector) {
        bytes.set(JAVA_LONG_UNALIGNED, at, 0);
        bytes.set(JAVA_INT_UNALIGNED, at + LIMIT, -1);
        bytes.set(JAVA_SHORT_UNALIGNED, at + SELECTOR, (short) selector);
        bytes.set(JAVA_BYTE, at + TYPE, (byte) type);
        bytes.set(JAVA_BYTE, at + PRESENT, (byte) 1);
        bytes.set(JAVA_BYTE, at + DPL, (byte) 0);
        bytes.set(JAVA_BYTE, at + DB, (byte) 1);
        bytes.set(JAVA_BYTE, at + S, (byte) 1);
        bytes.set(JAVA_BYTE, at + L, (byte) 0);
        bytes.set(JAVA_BYTE, at + G, (byte) 1);
    }

    /** {@return a copy of the bytes} */
    public byte[] bytes() {
        return ((byte[]) bytes.heapBase().orElseThrow()).clone();
    }
}
