package io.pageferry.agent.host.linux.kvm;

/** Why a vCPU came back from the guest. */
public sealed interface KvmExit {
    /**
     * It was interrupted, and whatever it came back for before is complete: only now its registers
     * say all of what it is about to do.
     */
    record Interrupted() implements KvmExit { }

    /**
     * The guest wrote to a port. The write is complete when the vCPU was run again.
     *
     * @param port  0 … 65535
     * @param value the first one, zero-extended
     */
    record PortWrite(int port, int value) implements KvmExit { }

    /**
     * Something that no guest here does while all is well.
     *
     * @param reason {@code KVM_EXIT_} number
     * @param what   its name
     */
    record Stopped(int reason, String what) implements KvmExit { }
}
