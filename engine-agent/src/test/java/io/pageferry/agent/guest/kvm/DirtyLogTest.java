package io.pageferry.agent.guest.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.pageferry.agent.host.linux.kvm.Kvm;
import io.pageferry.agent.host.linux.kvm.KvmExit;
import io.pageferry.agent.host.linux.kvm.KvmVcpu;
import io.pageferry.agent.host.linux.kvm.KvmVm;
import io.pageferry.agent.host.linux.kvm.Registers;
import io.pageferry.agent.host.linux.kvm.Registers.Name;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.testing.tracker.TrackerContract;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;

/** KVM's log, held to what every tracker must do: the pages are written by a vCPU. */
class DirtyLogTest extends TrackerContract {
    private static final int PAGE = 4096;
    private static final int AT = 1040;
    private static final long CODE_AT = 0x1000_0000;
    private static final byte[] CODE = HexFormat.of().parseHex("8907F4"); // mov [edi], eax; hlt

    @Override
    protected Tracked open() throws IOException {
        NeedsKvm.orSkip();
        return new Rig();
    }

    /** A machine without a thread: the test's runs the vCPU. */
    private static final class Rig implements Tracked {
        private final Arena arena = Arena.ofShared();
        private final KvmVm vm;
        private final KvmVcpu vcpu;
        private final MemorySlot slot;
        private final DirtyTracker tracker;

        Rig() throws IOException {
            slot = new MemorySlot(0, 0, arena.allocate((long) PAGES * PAGE, PAGE), 0);
            MemorySegment code = arena.allocate(PAGE, PAGE);
            MemorySegment.copy(CODE, 0, code, JAVA_BYTE, 0, CODE.length);
            try (Kvm kvm = Kvm.open(Kvm.DEVICE)) {
                vm = kvm.createVm();
            }
            slot.give(vm, false);
            vm.memory(1, CODE_AT, code, false);
            vcpu = vm.createVcpu(0);
            vcpu.specialRegisters(vcpu.specialRegisters().flat());
            tracker = new DirtyLog(vm, slot);
        }

        @Override
        public DirtyTracker tracker() {
            return tracker;
        }

        @Override
        public void write(long page, int number) {
            try {
                vcpu.registers(Registers.fresh().set(Name.RIP, CODE_AT)
                        .set(Name.RDI, page * PAGE + AT).set(Name.RAX, number));
                KvmExit exit = vcpu.run();
                if (!(exit instanceof KvmExit.Stopped stopped)
                        || !stopped.what().equals("it halted")) {
                    throw new AssertionError(exit.toString());
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        /** This monitor takes no storage away; one that does has to store zeros instead. */
        @Override
        public void discardAndRead(long page) {
            write(page, 0);
        }

        @Override
        public int send(long page) {
            return slot.memory().get(JAVA_INT, page * PAGE + AT);
        }

        @Override
        public void close() {
            tracker.close();
            vcpu.close();
            vm.close();
            arena.close();
        }
    }
}
