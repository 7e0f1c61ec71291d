package io.pageferry.agent.host.linux.bpf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * Runs BPF instructions on memory of its own, as far as ours use them: for requests that no disk of
 * a test makes. Addresses are offsets into the memory; the helpers are those of maps: of words, and
 * of pairs of words by a word.
 */
final class BpfMachine {
    /** Where a pair is seen that was looked up. */
    private static final int FOUND = 640;

    /** Offset in memory of each map's first word, by descriptor. */
    private final Map<Integer, Integer> maps;
    private final Map<Integer, Map<Long, long[]>> tables;
    private final ByteBuffer memory;
    private final long[] registers = new long[11];
    private int steps;

    BpfMachine(ByteBuffer memory, Map<Integer, Integer> maps,
            Map<Integer, Map<Long, long[]>> tables) {
        this.tables = tables;
        this.memory = memory.order(ByteOrder.LITTLE_ENDIAN);
        this.maps = maps;
    }

    /** Runs a program; returns how many instructions it took. */
    int run(byte[] program, long context, long frame) {
        ByteBuffer code = ByteBuffer.wrap(program).order(ByteOrder.nativeOrder());
        registers[1] = context;
        registers[BpfAssembler.FRAME] = frame;
        steps = 0;
        int at = 0;
        while (at >= 0) {
            steps++;
            at = step(code, at);
        }
        return steps;
    }

    private int step(ByteBuffer code, int at) {
        int opcode = code.get(at * 8) & 0xff;
        int to = code.get(at * 8 + 1) & 0xf;
        int from = code.get(at * 8 + 1) >> 4 & 0xf;
        int offset = code.getShort(at * 8 + 2);
        int constant = code.getInt(at * 8 + 4);
        long operand = (opcode & 8) != 0 ? registers[from] : constant;
        switch (opcode) {
            case 0x95:
                return -1;
            case 0x05:
                return at + 1 + offset;
            case 0x85:
                call(constant);
                return at + 1;
            case 0x18:
                registers[to] = constant & 0xffffffffL | (long) code.getInt(at * 8 + 12) << 32;
                return at + 2;
            case 0x61:
                registers[to] = memory.getInt(place(from, offset)) & 0xffffffffL;
                return at + 1;
            case 0x79:
                registers[to] = memory.getLong(place(from, offset));
                return at + 1;
            case 0x63:
                memory.putInt(place(to, offset), (int) registers[from]);
                return at + 1;
            case 0x7b:
                memory.putLong(place(to, offset), registers[from]);
                return at + 1;
            case 0xdb:
                memory.putLong(place(to, offset),
                        alu(constant, memory.getLong(place(to, offset)), registers[from]));
                return at + 1;
            default:
                break;
        }
        if ((opcode & 7) == 7) {
            registers[to] = alu(opcode & 0xf0, registers[to], operand);
            return at + 1;
        }
        return at + 1 + (holds(opcode & 0xf0, registers[to], operand) ? offset : 0);
    }

    private int place(int register, int offset) {
        return Math.toIntExact(registers[register] + offset);
    }

    /** What a call does not keep is worth nothing behind it. */
    private void call(int helper) {
        int key = Math.toIntExact(registers[2]);
        Map<Long, long[]> table = tables.get((int) registers[1]);
        if (helper == 1 && table == null) {
            registers[0] = maps.get((int) registers[1]) + 8L * memory.getInt(key);
        } else if (helper == 1) {
            long[] found = table.get(memory.getLong(key));
            registers[0] = found == null ? 0 : FOUND;
            memory.putLong(FOUND, found == null ? 0 : found[0])
                    .putLong(FOUND + 8, found == null ? 0 : found[1]);
        } else if (helper == 2) {
            int value = Math.toIntExact(registers[3]);
            table.put(memory.getLong(key),
                    new long[] {memory.getLong(value), memory.getLong(value + 8)});
            registers[0] = 0;
        } else if (helper == 3) {
            registers[0] = table.remove(memory.getLong(key)) == null ? -2 : 0;
        } else {
            throw new AssertionError("helper " + helper);
        }
        for (int i = 1; i <= 5; i++) {
            registers[i] = 0xdeadbeefdeadbeefL;
        }
    }

    private static long alu(int operation, long one, long other) {
        return switch (operation) {
            case 0x00 -> one + other;
            case 0x10 -> one - other;
            case 0x40 -> one | other;
            case 0x50 -> one & other;
            case 0x60 -> one << other;
            case 0x70 -> one >>> other;
            case 0xa0 -> one ^ other;
            case 0xb0 -> other;
            case 0xc0 -> one >> other;
            default -> throw new AssertionError("operation " + operation);
        };
    }

    private static boolean holds(int condition, long one, long other) {
        int compared = Long.compareUnsigned(one, other);
        return switch (condition) {
            case 0x10 -> one == other;
            case 0x20 -> compared > 0;
            case 0x30 -> compared >= 0;
            case 0x50 -> one != other;
            case 0x70 -> one >= other;
            case 0xa0 -> compared < 0;
            default -> throw new AssertionError("condition " + condition);
        };
    }
}
