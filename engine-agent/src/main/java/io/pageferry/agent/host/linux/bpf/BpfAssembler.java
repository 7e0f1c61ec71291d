package io.pageferry.agent.host.linux.bpf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Assembles BPF instructions of 8 bytes: opcode, registers, offset, constant (the kernel's
 * Documentation/bpf/standardization/instruction-set.rst). Registers are 0 to 10; 10 is the frame.
 */
final class BpfAssembler {
    /** Arithmetic of 64 bits, with a constant; with a register it is one bit more. */
    enum Alu {
        ADD(0x07), SUB(0x17), OR(0x47), AND(0x57), XOR(0xa7), LSH(0x67), RSH(0x77), MOV(0xb7),
        /** Keeps the sign. */
        ARSH(0xc7);

        private final int code;

        Alu(int code) {
            this.code = code;
        }
    }

    /** Conditions without a sign, with a constant; with a register it is one bit more. */
    enum Jump {
        EQ(0x15), GT(0x25), GE(0x35), NE(0x55), LT(0xa5);

        private final int code;

        Jump(int code) {
            this.code = code;
        }
    }

    static final int FRAME = 10;

    private static final int BYTES = 8;
    private static final int WITH_REGISTER = 0x08;
    private static final int LOAD = 0x61;
    private static final int LOAD_LONG = 0x79;
    private static final int STORE = 0x63;
    private static final int STORE_LONG = 0x7b;
    private static final int ATOMIC_LONG = 0xdb;
    private static final int WIDE = 0x18;
    private static final int JUMP = 0x05;
    private static final int SIGNED_NOT_LESS = 0x75;
    private static final int CALL = 0x85;
    private static final int EXIT = 0x95;
    /** The constant of a wide instruction is a descriptor. */
    private static final int PSEUDO_MAP_FD = 1;

    private record Instruction(int opcode, int registers, int constant, String target) { }

    private final List<Instruction> code = new ArrayList<>();
    private final Map<String, Integer> labels = new HashMap<>();
    private final Map<Integer, Integer> offsets = new HashMap<>();

    private BpfAssembler add(int opcode, int to, int from, int constant, String target) {
        code.add(new Instruction(opcode, from << 4 | to, constant, target));
        return this;
    }

    private BpfAssembler addAt(int opcode, int to, int from, int offset) {
        offsets.put(code.size(), offset);
        return add(opcode, to, from, 0, null);
    }

    BpfAssembler label(String name) {
        labels.put(name, code.size());
        return this;
    }

    BpfAssembler alu(Alu operation, int to, int constant) {
        return add(operation.code, to, 0, constant, null);
    }

    BpfAssembler aluBy(Alu operation, int to, int from) {
        return add(operation.code | WITH_REGISTER, to, from, 0, null);
    }

    BpfAssembler jump(String target) {
        return add(JUMP, 0, 0, 0, target);
    }

    BpfAssembler jumpIf(int register, Jump condition, int constant, String target) {
        return add(condition.code, register, 0, constant, target);
    }

    BpfAssembler jumpBy(int register, Jump condition, int other, String target) {
        return add(condition.code | WITH_REGISTER, register, other, 0, target);
    }

    /** Jumps where a register is not less than another, both with a sign. */
    BpfAssembler jumpSigned(int register, int other, String target) {
        return add(SIGNED_NOT_LESS | WITH_REGISTER, register, other, 0, target);
    }

    /** Loads 4 bytes. */
    BpfAssembler load(int to, int from, int offset) {
        return addAt(LOAD, to, from, offset);
    }

    /** Loads 8 bytes. */
    BpfAssembler loadLong(int to, int from, int offset) {
        return addAt(LOAD_LONG, to, from, offset);
    }

    /** Stores 4 bytes. */
    BpfAssembler store(int to, int offset, int from) {
        return addAt(STORE, to, from, offset);
    }

    /** Stores 8 bytes. */
    BpfAssembler storeLong(int to, int offset, int from) {
        return addAt(STORE_LONG, to, from, offset);
    }

    /** Sets the bits of 8 bytes of memory that are set in a register, in one step. */
    BpfAssembler atomicOr(int to, int from) {
        return add(ATOMIC_LONG, to, from, Alu.OR.code & 0xf0, null);
    }

    /** Turns the bits of 8 bytes of memory over that are set in a register, in one step. */
    BpfAssembler atomicXor(int to, int from) {
        return add(ATOMIC_LONG, to, from, Alu.XOR.code & 0xf0, null);
    }

    BpfAssembler constant(int to, long value) {
        return wide(to, 0, value);
    }

    BpfAssembler map(int to, int fd) {
        return wide(to, PSEUDO_MAP_FD, fd);
    }

    private BpfAssembler wide(int to, int from, long value) {
        return add(WIDE, to, from, (int) value, null).add(0, 0, 0, (int) (value >>> 32), null);
    }

    BpfAssembler call(int helper) {
        return add(CALL, 0, 0, helper, null);
    }

    BpfAssembler exit() {
        return add(EXIT, 0, 0, 0, null);
    }

    /** {@return the program, in this machine's order of bytes} */
    byte[] bytes() {
        ByteBuffer bytes = ByteBuffer.allocate(code.size() * BYTES)
                .order(ByteOrder.nativeOrder());
        for (int i = 0; i < code.size(); i++) {
            Instruction one = code.get(i);
            int offset = one.target() == null ? offsets.getOrDefault(i, 0)
                    : labels.get(one.target()) - i - 1;
            bytes.put((byte) one.opcode()).put((byte) one.registers())
                    .putShort((short) offset).putInt(one.constant());
        }
        return bytes.array();
    }
}
