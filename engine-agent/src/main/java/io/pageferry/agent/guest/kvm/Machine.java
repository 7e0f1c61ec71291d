package io.pageferry.agent.guest.kvm;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.kvm.Kvm;
import io.pageferry.agent.host.linux.kvm.KvmVcpu;
import io.pageferry.agent.host.linux.kvm.KvmVm;
import io.pageferry.agent.host.linux.kvm.Registers;
import io.pageferry.agent.host.memory.MappedRegions;
import io.pageferry.agent.host.memory.RegionFiles;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.round.WriteThrottle;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A minimal virtual machine monitor: one region of memory, one vCPU on a thread of its own, two
 * ports. It knows nothing of migrations, but it can log which pages the vCPU writes, stop it for
 * certain, and give its registers and take them. Any thread may call any method, one at a time.
 */
public final class Machine implements AutoCloseable {
    private final MappedRegions memory;
    private Kvm kvm;
    private KvmVm vm;
    private KvmVcpu vcpu;
    private DirtyTracker tracker;
    private VcpuThread thread;
    private final AtomicLong laps = new AtomicLong();
    private final AtomicLong failures = new AtomicLong();
    private boolean closed;

    /**
     * Makes a machine that stands, with memory that is all zero.
     *
     * @param device {@link Kvm#DEVICE} everywhere but in tests
     * @param bytes  of memory, a multiple of 4096
     * @throws GuestException when KVM or the host's memory are not available
     */
    Machine(String device, long bytes) throws GuestException {
        MappedRegions mapped = null;
        try {
            kvm = Kvm.open(device);
            mapped = map(bytes);
            build(mapped);
        } catch (IOException e) {
            closeAll(mapped);
            throw new GuestException(ErrorCode.HOST_FAILED, "no virtual machine can be made here: "
                    + e.getMessage(), "look whether " + Kvm.DEVICE
                    + " is there and this user may open it");
        }
        memory = mapped;
    }

    private static MappedRegions map(long bytes) throws LinuxException {
        SharedMemory file = SharedMemory.create("pageferry-kvm", bytes);
        Region ram = new Region(0, "ram", 0, bytes, PageGeometry.PAGE_SIZE);
        return new MappedRegions(new RegionTable(List.of(ram)),
                List.of(new RegionFiles.Part(file, 0)));
    }

    private void build(MappedRegions mapped) throws IOException {
        MemorySlot slot = new MemorySlot(0, 0, mapped.window(0), 0);
        vm = kvm.createVm();
        slot.give(vm, false);
        vcpu = vm.createVcpu(0);
        tracker = new DirtyLog(vm, slot);
        thread = new VcpuThread(vcpu, this::port);
    }

    private void port(int port, int value) {
        switch (port) {
            case GuestProgram.LAP_PORT -> laps.incrementAndGet();
            case GuestProgram.FAILURE_PORT -> failures.incrementAndGet();
            default -> {
                // As on real hardware: there is no device at that port.
            }
        }
    }

    /** Loads the guest's program, which works on the first {@code set} bytes. It stands still. */
    void boot(long set) throws LinuxException {
        vcpu.specialRegisters(vcpu.specialRegisters().flat());
        vcpu.registers(GuestProgram.load(ram(), set));
    }

    MappedRegions memory() {
        return memory;
    }

    DirtyTracker tracker() {
        return tracker;
    }

    WriteThrottle throttle() {
        return thread.throttle();
    }

    boolean isRunning() {
        return thread.isWanted();
    }

    Optional<String> ended() {
        return thread.ended();
    }

    void pause() throws GuestException {
        thread.pause();
    }

    void resume() {
        thread.resume();
    }

    /** The registers of the vCPU, which stands. */
    MachineState state() throws LinuxException {
        return new MachineState(vcpu.registers(), vcpu.specialRegisters());
    }

    /** Gives a vCPU that stands the registers of another one. */
    void state(MachineState state) throws LinuxException {
        vcpu.specialRegisters(state.special());
        vcpu.registers(state.general());
    }

    /** {@return pages that the guest wrote in all its life, also while it runs} */
    public long count() {
        return GuestProgram.count(ram());
    }

    /**
     * Counts exactly: in memory the guest may be one behind.
     *
     * @return pages that the guest, which stands, wrote in all its life
     * @throws IOException when its registers cannot be read
     */
    public long standingCount() throws IOException {
        return GuestProgram.count(vcpu.registers());
    }

    /** {@return laps that the guest reported by its port since it was loaded here} */
    public long laps() {
        return laps.get();
    }

    /** {@return wrong pages that the guest reported by its port since it was loaded here} */
    public long failuresHere() {
        return failures.get();
    }

    /**
     * Stops it and looks at all that it should be.
     *
     * @return wrong pages: those that the guest found in all its life, and those there now
     * @throws IOException when the vCPU does not stand
     */
    public long check() throws IOException {
        pause();
        Registers registers = vcpu.registers();
        return GuestProgram.failures(ram()) + GuestProgram.sweep(ram(), registers)
                + GuestProgram.lost(ram(), registers);
    }

    MemorySegment ram() {
        return memory.window(0);
    }

    /** Ends the guest and frees everything. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            closeAll(memory);
        }
    }

    /** In the order of use: nothing is taken from under the vCPU. */
    private void closeAll(MappedRegions mapped) {
        if (thread != null) {
            thread.close();
        }
        if (tracker != null) {
            tracker.close();
        }
        if (vcpu != null) {
            vcpu.close();
        }
        if (vm != null) {
            vm.close();
        }
        if (kvm != null) {
            kvm.close();
        }
        if (mapped != null) {
            mapped.close();
        }
    }
}
