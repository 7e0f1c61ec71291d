package io.pageferry.agent.host.linux.kvm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A virtual machine: slots of memory, and what the kernel knows of writes into them. Any thread,
 * until {@link #close}. It sees what vCPUs write; what this process writes into the same memory it
 * does not.
 */
public final class KvmVm implements AutoCloseable {
    private static final long KVM_CREATE_VCPU = 0xAE41;
    private static final long KVM_GET_DIRTY_LOG = 0x4010AE42L;
    private static final long KVM_SET_USER_MEMORY_REGION = 0x4020AE46L;
    private static final int KVM_MEM_LOG_DIRTY_PAGES = 1;
    private static final int REGION_BYTES = 32;
    private static final int LOG_BYTES = 16;
    private static final int PAGE = 4096;

    private final int fd;
    private final int runBytes;
    private boolean closed;

    KvmVm(int fd, int runBytes) {
        this.fd = fd;
        this.runBytes = runBytes;
    }

    /**
     * Gives it memory, or changes whether writes into that are logged; the latter also while vCPUs
     * run.
     *
     * @param slot         number of the slot, ≥ 0
     * @param guestAddress where the guest sees it, a multiple of 4096
     * @param memory       made of whole pages; the caller keeps it mapped until {@link #close}
     * @param logDirty     whether writes are logged from now on
     * @throws LinuxException when the kernel refuses
     */
    public void memory(int slot, long guestAddress, MemorySegment memory, boolean logDirty)
            throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment region = arena.allocate(REGION_BYTES, Long.BYTES);
            region.set(JAVA_INT, 0, slot);
            region.set(JAVA_INT, 4, logDirty ? KVM_MEM_LOG_DIRTY_PAGES : 0);
            region.set(JAVA_LONG, 8, guestAddress);
            region.set(JAVA_LONG, 16, memory.byteSize());
            region.set(JAVA_LONG, 24, memory.address());
            Native.check(Native.ioctl(fd, KVM_SET_USER_MEMORY_REGION, region),
                    "KVM_SET_USER_MEMORY_REGION", "slot " + slot);
        }
    }

    /**
     * Makes a vCPU.
     *
     * @param id 0 for the first
     * @return the vCPU, the caller's to close before this machine
     * @throws LinuxException when the kernel refuses
     */
    public KvmVcpu createVcpu(int id) throws LinuxException {
        return KvmVcpu.own((int) Native.check(Native.ioctl(fd, KVM_CREATE_VCPU, Kvm.number(id)),
                "KVM_CREATE_VCPU", "vCPU " + id), runBytes);
    }

    /**
     * Takes the log of a slot: one bit for each page that was written since the log was taken last.
     * The kernel clears it first and copies it then, so a page that is written afterwards is in the
     * next log.
     *
     * @param slot   with logging
     * @param bitmap native memory for it, of at least one bit for each page, rounded up to 8 bytes;
     *               overwritten
     * @throws LinuxException when the kernel refuses; the log may be lost then
     */
    public void takeDirtyLog(int slot, MemorySegment bitmap) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment log = arena.allocate(LOG_BYTES, Long.BYTES);
            log.set(JAVA_INT, 0, slot);
            log.set(ADDRESS, 8, bitmap);
            Native.check(Native.ioctl(fd, KVM_GET_DIRTY_LOG, log), "KVM_GET_DIRTY_LOG",
                    "slot " + slot);
        }
    }

    /**
     * Returns how large a bitmap {@link #takeDirtyLog} wants.
     *
     * @param bytes of memory in the slot
     * @return bytes of the bitmap
     */
    public static long bitmapBytes(long bytes) {
        return (bytes / PAGE + Long.SIZE - 1) / Long.SIZE * Long.BYTES;
    }

    /** Ends the machine; its vCPUs are closed and stand by then. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Native.close(fd);
        }
    }
}
