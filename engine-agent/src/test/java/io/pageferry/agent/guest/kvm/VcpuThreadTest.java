package io.pageferry.agent.guest.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.kvm.Kvm;
import io.pageferry.agent.host.linux.kvm.KvmVcpu;
import io.pageferry.agent.host.linux.kvm.KvmVm;
import io.pageferry.agent.host.linux.kvm.Registers;
import io.pageferry.agent.host.linux.kvm.Registers.Name;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The run loop of a guest that does nothing but count by a port. */
class VcpuThreadTest {
    private static final int PAGE = 4096;
    private static final byte[] CODE = HexFormat.of().parseHex(
            "40" // inc eax
            + "E710" // out 0x10, eax
            + "EBFB"); // jmp to the first
    private static final long JUMP = 3;

    private final CountDownLatch inside = new CountDownLatch(1);
    private final CountDownLatch goesOn = new CountDownLatch(1);
    private volatile int last;

    private void port(int port, int value) {
        last = value;
        inside.countDown();
        try {
            goesOn.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aPauseReturnsWhenTheVcpuStandsAndItsInstructionIsComplete() throws Exception {
        NeedsKvm.orSkip();
        try (Arena arena = Arena.ofShared(); KvmVm vm = machine(arena);
                KvmVcpu vcpu = vm.createVcpu(0)) {
            vcpu.specialRegisters(vcpu.specialRegisters().flat());
            vcpu.registers(Registers.fresh());
            try (VcpuThread thread = new VcpuThread(vcpu, this::port);
                    AutoCloseable undo = goesOn::countDown) {
                assertEquals(0, last);
                pausesWhenItStands(thread, vcpu);
                int before = last;
                thread.resume();
                while (last == before) {
                    Thread.onSpinWait();
                }
                thread.pause();
                assertTrue(vcpu.registers().get(Name.RAX) - last <= 1, () -> "after " + undo);
            }
        }
    }

    private void pausesWhenItStands(VcpuThread thread, KvmVcpu vcpu) throws Exception {
        thread.resume();
        assertTrue(inside.await(Requirements.HANG.toSeconds(), TimeUnit.SECONDS));
        FutureTask<Void> pause = new FutureTask<>(() -> {
            thread.pause();
            return null;
        });
        Thread pauser = Thread.ofPlatform().start(pause);
        // Longer than any pause that does not wait would take.
        assertFalse(pauser.join(Duration.ofMillis(100)), "it did not wait");
        goesOn.countDown();
        pause.get(Requirements.HANG.toSeconds(), TimeUnit.SECONDS);
        Registers registers = vcpu.registers();
        assertEquals(last, registers.get(Name.RAX), "counted and not yet told");
        assertEquals(JUMP, registers.get(Name.RIP), "the port's instruction is not over");
    }

    private static KvmVm machine(Arena arena) throws IOException {
        MemorySegment memory = arena.allocate(PAGE, PAGE);
        MemorySegment.copy(CODE, 0, memory, JAVA_BYTE, 0, CODE.length);
        try (Kvm kvm = Kvm.open(Kvm.DEVICE)) {
            KvmVm vm = kvm.createVm();
            vm.memory(0, 0, memory, false);
            return vm;
        }
    }
}
