package io.pageferry.agent.guest.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.pageferry.agent.host.linux.kvm.Registers;
import io.pageferry.agent.host.linux.kvm.Registers.Name;
import io.pageferry.core.memory.PageGeometry;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.SplittableRandom;

/**
 * The guest: a loop of 32-bit code without paging that writes page after page, round and round. A
 * page holds, in its first and in its last four bytes, {@code lap × STEP xor address}. Before it
 * writes a page the guest checks that it holds what it wrote there one lap ago, so a page that was
 * lost, is stale, torn or stands at a wrong place is found by the guest itself.
 *
 * <p>Page 1 holds the code, page 2 the number of pages written and the number of wrong ones; the
 * pages from 16 on are data. Registers: ebx pages written, ecx end of the data, edi the page, esi
 * lap × STEP.
 */
final class GuestProgram {
    /** Written once for each lap. */
    static final int LAP_PORT = 0x10;

    /** Written with the address of a page that was wrong. */
    static final int FAILURE_PORT = 0x11;

    static final long FIRST_DATA = 0x10000;

    private static final int PAGE = PageGeometry.PAGE_SIZE;
    private static final int LAST_WORD = PAGE - Integer.BYTES;
    private static final long CODE_AT = 0x1000;
    private static final long COUNT_AT = 0x2000;
    private static final long FAILURES_AT = 0x2004;
    private static final long FILL_SEED = 42;
    private static final int STEP = 0x9E3779B1;

    private static final byte[] CODE = HexFormat.of().parseHex((""
            + "89F0"         // 00 next:    mov eax, esi
            + "2DB179379E"   // 02          sub eax, STEP
            + "31F8"         // 07          xor eax, edi         ; what it held one lap ago
            + "3907"         // 09          cmp [edi], eax
            + "7534"         // 0B          jne wrong
            + "3987FC0F0000" // 0D          cmp [edi + 4092], eax
            + "752C"         // 13          jne wrong
            + "89F0"         // 15 write:   mov eax, esi
            + "31F8"         // 17          xor eax, edi
            + "8907"         // 19          mov [edi], eax
            + "8987FC0F0000" // 1B          mov [edi + 4092], eax
            + "43"           // 21          inc ebx
            + "891D00200000" // 22 store:   mov [COUNT_AT], ebx
            + "81C700100000" // 28 advance: add edi, 4096
            + "39CF"         // 2E          cmp edi, ecx
            + "72CE"         // 30          jb next
            + "BF00000100"   // 32          mov edi, FIRST_DATA
            + "81C6B179379E" // 37 turn:    add esi, STEP
            + "E610"         // 3D          out LAP_PORT, al
            + "EBBF"         // 3F          jmp next
            + "FF0504200000" // 41 wrong:   inc dword [FAILURES_AT]
            + "89F8"         // 47          mov eax, edi
            + "E711"         // 49          out FAILURE_PORT, eax
            + "EBC8"         // 4B          jmp write
            ));

    private static final long STORE = CODE_AT + 0x22;
    private static final long ADVANCE = CODE_AT + 0x28;
    private static final long TURN = CODE_AT + 0x37;

    private GuestProgram() {
    }

    /**
     * Puts the program into memory that is all zero, with what the first lap expects to find, and
     * with half of each page random, so that pages are not cheaper to move than real ones.
     *
     * @param memory of the guest
     * @param set    end of the data: a multiple of 4096 behind {@link #FIRST_DATA}
     * @return the registers to begin with
     */
    static Registers load(MemorySegment memory, long set) {
        MemorySegment.copy(CODE, 0, memory, JAVA_BYTE, CODE_AT, CODE.length);
        SplittableRandom random = new SplittableRandom(FILL_SEED);
        for (long page = FIRST_DATA; page < set; page += PAGE) {
            for (long at = page; at < page + PAGE / 2; at += Long.BYTES) {
                memory.set(JAVA_LONG, at, random.nextLong());
            }
            memory.set(JAVA_INT, page, (int) page);
            memory.set(JAVA_INT, page + LAST_WORD, (int) page);
        }
        return Registers.fresh().set(Name.RIP, CODE_AT).set(Name.RCX, set)
                .set(Name.RDI, FIRST_DATA).set(Name.RSI, Integer.toUnsignedLong(STEP));
    }

    /** Pages written so far, as counted in the guest's memory; also while it runs. */
    static long count(MemorySegment memory) {
        return Integer.toUnsignedLong(memory.get(JAVA_INT, COUNT_AT));
    }

    /** Pages that the guest found wrong. */
    static long failures(MemorySegment memory) {
        return Integer.toUnsignedLong(memory.get(JAVA_INT, FAILURES_AT));
    }

    /** Pages written so far, by the registers of a vCPU that stands. */
    static long count(Registers registers) {
        return registers.get(Name.RBX) & 0xFFFF_FFFFL;
    }

    /** Ticks by which memory and registers of a guest that stands contradict each other. */
    static long lost(MemorySegment memory, Registers registers) {
        // Between counting and storing it, memory is one behind.
        long behind = registers.get(Name.RIP) == STORE ? 1 : 0;
        return Math.abs(count(registers) - behind - count(memory));
    }

    /** Whether the registers are such as the program can have in that much memory. */
    static boolean isSound(Registers registers, long memoryBytes) {
        long end = registers.get(Name.RCX);
        long page = registers.get(Name.RDI);
        return end > FIRST_DATA && end <= memoryBytes && end % PAGE == 0
                && page >= FIRST_DATA && page <= end && page % PAGE == 0;
    }

    /** Looks at every page of a guest that stands; returns how many are not what they should be. */
    static long sweep(MemorySegment memory, Registers registers) {
        long at = registers.get(Name.RIP);
        long end = registers.get(Name.RCX);
        long here = registers.get(Name.RDI);
        int lap = (int) registers.get(Name.RSI) + (at == TURN ? STEP : 0);
        long wrong = lap == lapOf(registers) ? 0 : 1;
        for (long page = FIRST_DATA; page < end; page += PAGE) {
            int now = lap ^ (int) page;
            int before = lap - STEP ^ (int) page;
            int first = memory.get(JAVA_INT, page);
            int last = memory.get(JAVA_INT, page + LAST_WORD);
            boolean good = page < here ? first == now && last == now
                    : page > here ? first == before && last == before
                    : (first == now || first == before) && (last == now || last == before);
            wrong += good ? 0 : 1;
        }
        return wrong;
    }

    /** What esi should be by the number of pages written. */
    private static int lapOf(Registers registers) {
        long pages = (registers.get(Name.RCX) - FIRST_DATA) / PAGE;
        long at = registers.get(Name.RIP);
        long inLap = (registers.get(Name.RDI) - FIRST_DATA) / PAGE
                + (at == STORE || at == ADVANCE ? 1 : 0);
        return (int) ((count(registers) - inLap) / pages + 1) * STEP;
    }
}
