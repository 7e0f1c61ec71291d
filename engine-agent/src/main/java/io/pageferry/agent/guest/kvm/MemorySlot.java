package io.pageferry.agent.guest.kvm;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.kvm.KvmVm;
import java.lang.foreign.MemorySegment;

/**
 * A region of the guest's memory as KVM has it.
 *
 * @param number       of the slot
 * @param guestAddress where the guest sees it
 * @param memory       its bytes in this process
 * @param firstPage    global index of its first page
 */
record MemorySlot(int number, long guestAddress, MemorySegment memory, long firstPage) {
    /** Gives it to a machine, or changes whether writes are logged. */
    void give(KvmVm vm, boolean logged) throws LinuxException {
        vm.memory(number, guestAddress, memory, logged);
    }

    /** Ends the logging; what cannot be ended ends with the machine. */
    void giveQuietly(KvmVm vm) {
        try {
            give(vm, false);
        } catch (LinuxException e) {
            return; // the guest runs on, only a little slower
        }
    }
}
