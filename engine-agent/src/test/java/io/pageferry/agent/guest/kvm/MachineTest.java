package io.pageferry.agent.guest.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.kvm.Kvm;
import io.pageferry.core.dirty.DirtyBitmap;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The machine and its guest, without any migration. */
@Tag("timing")
class MachineTest {
    private static final long SIZE = 4L << 20;
    private static final long SET = 1L << 20;
    private static final int PAGE = 4096;
    private static final long LIMIT = Requirements.HANG.toNanos();

    private Machine machine;

    @BeforeEach
    void boot() throws IOException {
        NeedsKvm.orSkip();
        machine = new Machine(Kvm.DEVICE, SIZE);
        machine.boot(SET);
    }

    @AfterEach
    void end() {
        if (machine != null) {
            machine.close();
        }
    }

    @Test
    void theGuestWorksAndFindsNothingWrong() throws IOException {
        runFor(600);
        assertEquals(0, machine.check());
        assertTrue(machine.laps() >= 2, () -> machine.laps() + " laps");
        assertEquals(0, machine.failuresHere());
        assertTrue(machine.ended().isEmpty());
    }

    @Test
    void aPausedGuestStandsStill() throws IOException {
        long seed = Long.getLong("pageferry.test.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int i = 0; i < 50; i++) {
            runFor(1 + random.nextInt(40));
            // First of all, as asking for registers waits for the vCPU.
            byte[] before = machine.ram().toArray(JAVA_BYTE);
            byte[] state = machine.state().bytes();
            assertFalse(machine.isRunning());
            assertEquals(0, machine.check(), "-Dpageferry.test.seed=" + seed);
            assertEquals(-1, machine.ram().mismatch(MemorySegment.ofArray(before)));
            assertEquals(-1, MemorySegment.ofArray(state)
                    .mismatch(MemorySegment.ofArray(machine.state().bytes())));
        }
    }

    @Test
    void aWrongPageIsFoundByTheGuestAndByTheMachine() throws IOException {
        runFor(300);
        long page = SET - PAGE;
        machine.ram().set(JAVA_INT, page, ~machine.ram().get(JAVA_INT, page));
        assertEquals(1, machine.check());
        runFor(300);
        assertEquals(1, machine.failuresHere());
        assertEquals(1, machine.check());
    }

    @Test
    void aCopyByTheLogGoesOnInAnotherMachine() throws IOException {
        try (Machine other = new Machine(Kvm.DEVICE, SIZE);
                DirtyBitmap dirty = new DirtyBitmap(SIZE / PAGE)) {
            machine.resume();
            machine.tracker().start();
            dirty.markAll();
            for (int round = 0; round < 40; round++) {
                copy(dirty, other);
                machine.tracker().harvest(dirty);
                if (round == 38) {
                    machine.pause();
                }
            }
            machine.tracker().harvest(dirty);
            copy(dirty, other);
            assertEquals(-1, machine.ram().mismatch(other.ram()));
            other.state(MachineState.of(machine.state().bytes()));
            assertEquals(machine.count(), other.count());
            other.resume();
            awaitCount(other, machine.count() + 1_000);
            assertEquals(0, other.check());
            assertEquals(0, other.failuresHere());
        }
    }

    private void copy(DirtyBitmap dirty, Machine other) {
        for (long page = dirty.nextMarked(0); page < dirty.pages(); page = dirty.nextMarked(page)) {
            dirty.clear(page);
            MemorySegment.copy(machine.ram(), page * PAGE, other.ram(), page * PAGE, PAGE);
        }
    }

    @Test
    void aGuestThatHaltsHasEnded() throws IOException {
        machine.ram().asSlice(0x1000, 1).fill((byte) 0xF4); // hlt
        machine.resume();
        long start = System.nanoTime();
        while (machine.ended().isEmpty() && System.nanoTime() - start < LIMIT) {
            LockSupport.parkNanos(1_000_000);
        }
        assertEquals("it halted", machine.ended().orElseThrow());
        machine.pause();
    }

    @Test
    void aThrottleKeepsTheVcpuOutAndIsUndone() throws IOException {
        machine.resume();
        machine.throttle().set(90);
        long start = System.nanoTime();
        while (machine.throttle().stolenNanos() < 300_000_000L) {
            assertTrue(System.nanoTime() - start < LIMIT, "nothing is taken");
            LockSupport.parkNanos(1_000_000);
        }
        long took = System.nanoTime() - start;
        assertTrue(machine.throttle().stolenNanos() <= took);
        assertTrue(machine.throttle().stolenNanos() >= took / 4,
                () -> machine.throttle().stolenNanos() + " of " + took);
        machine.throttle().close();
        awaitCount(machine, machine.count() + 100);
        long taken = machine.throttle().stolenNanos();
        awaitCount(machine, machine.count() + 1_000);
        assertEquals(taken, machine.throttle().stolenNanos());
        assertThrows(IllegalArgumentException.class, () -> machine.throttle().set(100));
    }

    private void runFor(long pages) throws IOException {
        long from = machine.count();
        machine.resume();
        awaitCount(machine, from + pages);
        machine.pause();
    }

    private static void awaitCount(Machine machine, long count) {
        long start = System.nanoTime();
        while (machine.count() < count) {
            assertTrue(System.nanoTime() - start < LIMIT, "it stopped at " + machine.count());
            LockSupport.parkNanos(200_000);
        }
    }
}
