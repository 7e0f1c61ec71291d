package io.pageferry.agent.guest.kvm;

import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.kvm.Kvm;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** {@code kvm:SIZE[?set=…]}: a virtual machine inside the agent, which checks itself. */
public final class KvmKind implements GuestKind {
    private static final KvmSpec SMALL = new KvmSpec(1L << 20, 1L << 20);
    private static final long WARM_UP_NANOS = 5_000_000L;
    private static final int WARM_UPS = 5;

    private final String device;

    /** Made by the service loader. */
    public KvmKind() {
        this(Kvm.DEVICE);
    }

    KvmKind(String device) {
        this.device = device;
    }

    @Override
    public String scheme() {
        return KvmSpec.SCHEME;
    }

    @Override
    public SourceGuest openSource(GuestUri uri, GuestSetup setup) throws GuestException {
        KvmSpec spec = KvmSpec.parse(uri);
        if (setup.tracker() != TrackerChoice.AUTO && setup.tracker() != TrackerChoice.DIRTY_LOG) {
            throw new IllegalArgumentException("--tracker " + setup.tracker().label()
                    + " cannot follow a kvm guest: there are auto and " + DirtyLog.NAME);
        }
        Machine machine = make(spec);
        try {
            machine.boot(spec.set());
            KvmGuest guest = new KvmGuest(machine);
            machine.resume();
            return guest;
        } catch (LinuxException e) {
            machine.close();
            throw new GuestException(ErrorCode.HOST_FAILED, e.getMessage(), "");
        }
    }

    @Override
    public TargetGuest openTarget(GuestUri uri, GuestSetup setup) throws GuestException {
        KvmSpec spec = KvmSpec.parse(uri);
        KvmIncoming incoming = new KvmIncoming(() -> make(spec), setup.room());
        try {
            if (setup.prealloc()) {
                incoming.populate();
            }
            return incoming;
        } catch (GuestException e) {
            incoming.close();
            throw e;
        }
    }

    private Machine make(KvmSpec spec) throws GuestException {
        return new Machine(device, spec.size());
    }

    @Override
    public List<Finding> inspect(GuestUri uri) {
        KvmSpec spec = KvmSpec.parse(uri);
        return List.of(host(), new Finding("guest", Verdict.OK, "supported: a virtual machine in"
                + " the agent, with " + spec.size() + " bytes", "", ""));
    }

    private Finding host() {
        try (Kvm kvm = Kvm.open(device)) {
            kvm.createVm().close();
            return new Finding("host", Verdict.OK, device + " opens, and makes virtual machines",
                    "", "");
        } catch (IOException e) {
            return new Finding("host", Verdict.REFUSED, e.getMessage(),
                    "no virtual machine can be made here",
                    "load KVM's module, or give this user the right to open " + device);
        }
    }

    @Override
    public void warmUp() throws IOException {
        try (Machine from = make(SMALL); Machine to = make(SMALL)) {
            from.boot(SMALL.set());
            for (int i = 0; i < WARM_UPS; i++) {
                from.resume();
                LockSupport.parkNanos(WARM_UP_NANOS);
                from.pause();
                ByteArrayOutputStream state = new ByteArrayOutputStream();
                state.write(from.state().bytes());
                to.state(MachineState.of(state.toByteArray()));
                to.resume();
                to.pause();
            }
        }
    }
}
