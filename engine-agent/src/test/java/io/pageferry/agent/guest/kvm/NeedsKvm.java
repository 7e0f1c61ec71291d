package io.pageferry.agent.guest.kvm;

import io.pageferry.agent.host.linux.kvm.Kvm;
import java.io.IOException;
import org.junit.jupiter.api.Assumptions;

/** What tests of virtual machines need of this machine. */
final class NeedsKvm {
    private NeedsKvm() {
    }

    /** Skips the test where KVM cannot be had, and says why. */
    static void orSkip() {
        try (Kvm kvm = Kvm.open(Kvm.DEVICE)) {
            kvm.createVm().close();
        } catch (IOException e) {
            Assumptions.abort(e.getMessage());
        }
    }
}
