package io.pageferry.agent.host.linux.kvm;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** The device through which virtual machines are made. Any thread. */
public final class Kvm implements AutoCloseable {
    /** Where it is. */
    public static final String DEVICE = "/dev/kvm";

    private static final long KVM_GET_API_VERSION = 0xAE00;
    private static final long KVM_CREATE_VM = 0xAE01;
    private static final long KVM_CHECK_EXTENSION = 0xAE03;
    private static final long KVM_GET_VCPU_MMAP_SIZE = 0xAE04;
    /** The only one since Linux 2.6.22. */
    private static final int KVM_API_VERSION = 12;
    private static final int KVM_CAP_IMMEDIATE_EXIT = 136;

    private final int fd;
    private final String device;
    private boolean closed;

    private Kvm(int fd, String device) {
        this.fd = fd;
        this.device = device;
    }

    /**
     * Opens it and asks for what everything here needs.
     *
     * @param device its path, {@link #DEVICE} everywhere but in tests
     * @return open
     * @throws IOException when it is not there, may not be opened, or lacks something; the message
     *                     begins with the path
     */
    public static Kvm open(String device) throws IOException {
        if (!Native.X86) {
            throw new IOException(device + " does not help here: only the registers of x86-64 are"
                    + " known, and this is " + System.getProperty("os.arch"));
        }
        Kvm kvm;
        try {
            kvm = new Kvm(Native.open(device, Native.O_RDWR), device);
        } catch (LinuxException e) {
            throw new IOException(device + " does not open: "
                    + LinuxException.nameOf(e.errno()), e);
        }
        try {
            kvm.requireAbilities();
            return kvm;
        } catch (IOException e) {
            kvm.close();
            throw e;
        }
    }

    private void requireAbilities() throws IOException {
        int version = Native.ioctl(fd, KVM_GET_API_VERSION, MemorySegment.NULL);
        if (version != KVM_API_VERSION) {
            throw new IOException(device + (version < 0 ? " is no KVM: "
                    + LinuxException.nameOf(-version) : " has API version " + version));
        }
        if (Native.ioctl(fd, KVM_CHECK_EXTENSION, number(KVM_CAP_IMMEDIATE_EXIT)) <= 0) {
            throw new IOException(device + " cannot stop a vCPU for certain"
                    + " (KVM_CAP_IMMEDIATE_EXIT); Linux 4.13 can");
        }
    }

    /**
     * Makes a virtual machine without memory and vCPUs.
     *
     * @return the machine, the caller's to close
     * @throws LinuxException when the kernel refuses
     */
    public KvmVm createVm() throws LinuxException {
        int runBytes = (int) Native.check(
                Native.ioctl(fd, KVM_GET_VCPU_MMAP_SIZE, MemorySegment.NULL),
                "KVM_GET_VCPU_MMAP_SIZE", device);
        return new KvmVm((int) Native.check(Native.ioctl(fd, KVM_CREATE_VM, MemorySegment.NULL),
                "KVM_CREATE_VM", device), runBytes);
    }

    /** An ioctl whose argument is a number takes it where others take an address. */
    static MemorySegment number(long value) {
        return MemorySegment.ofAddress(value);
    }

    /** Closes the device; machines made by it stay. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Native.close(fd);
        }
    }
}
