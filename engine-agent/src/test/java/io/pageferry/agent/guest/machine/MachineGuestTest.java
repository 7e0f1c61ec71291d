package io.pageferry.agent.guest.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.host.machine.address.MovedAddresses;
import io.pageferry.agent.host.machine.address.NetNamespace;
import java.io.ByteArrayOutputStream;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A machine at the source, over disks that only note what they are asked. */
class MachineGuestTest {
    @TempDir
    private Path folder;

    private final List<String> asked = new ArrayList<>();

    private SourceGuest disks() {
        return (SourceGuest) Proxy.newProxyInstance(getClass().getClassLoader(),
                new Class<?>[] {SourceGuest.class}, (proxy, method, arguments) -> {
                    asked.add(method.getName());
                    return method.getReturnType() == Optional.class ? Optional.of("frozen")
                            : method.getReturnType() == Map.class ? Map.of() : null;
                });
    }

    /** They are off from before the grant, and back once its file systems go on. */
    @Test
    void itsAddressesAreOffWhileItMayBeTheTargets() throws Exception {
        try (NetNamespace network = NetNamespace.make()) {
            network.ip("address", "add", "10.1.0.5/24", "dev", "d0");
            Path taken = folder.resolve("taken");
            MachineGuest guest = new MachineGuest(disks(), HardwareJsonTest.WEB,
                    Optional.of(new MovedAddresses(network.command(), taken, one -> false)));
            assertEquals(taken.toString(), guest.recoveryAddress().get("addresses"));
            guest.pause();
            assertTrue(network.ip("address").contains("10.1.0.5"));
            guest.keepPaused();
            assertFalse(network.ip("address").contains("10.1.0.5"));
            assertEquals("frozen; taken off: d0 10.1.0.5/24", guest.leftHere().orElseThrow());
            guest.resume();
            assertTrue(network.ip("address").contains("10.1.0.5"));
            assertTrue(asked.containsAll(List.of("pause", "keepPaused", "resume")),
                    asked::toString);
        }
    }

    @Test
    void itsStateIsItsHardware() throws Exception {
        MachineGuest guest = new MachineGuest(disks(), HardwareJsonTest.WEB, Optional.empty());
        ByteArrayOutputStream state = new ByteArrayOutputStream();
        guest.saveState(state);
        assertEquals(HardwareJsonTest.WEB, HardwareJson.read(state.toByteArray()));
        assertFalse(guest.recoveryAddress().containsKey("addresses"));
    }
}
