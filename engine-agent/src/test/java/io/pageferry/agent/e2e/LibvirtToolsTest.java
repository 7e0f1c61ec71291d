package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What an operator does to a domain with virsh works after each hop. */
@Tag("full")
class LibvirtToolsTest extends WithLibvirt {
    private static final int HOPS = Draw.FULL ? 5 : 2;

    /** The disk too: what was typed before a hop is read from it after. */
    @Test
    void virshManagesItAfterEachHop() throws IOException {
        Assumptions.assumeTrue(isWhole(), "no virtio modules beside the kernel");
        String kept = "";
        for (int hop = 0; hop < HOPS; hop++) {
            if (hop > 0) {
                boot(hop);
            }
            kept = types(hop, "before" + hop, kept);
            Agent target = receive(hop + 1, "", "--persistent");
            E2e.assertMoved(migrate(hop, target.address(), "", "--undefine-source"), target);
            LibvirtHost here = host(hop + 1);
            assertTrue(here.virsh("list").matches("\\d+ +web +running"), () -> virsh(here));
            assertEquals("", host(hop).virsh("list", "--all"));
            ticksOn();
            kept = types(hop + 1, "after" + hop, kept);
            here.must("shutdown", NAME, "--mode", "agent");
            Poll.until(() -> here.state(NAME).equals("shut off"), () -> "it does not shut down");
        }
    }

    private static String virsh(LibvirtHost host) {
        try {
            return host.virsh("list", "--all");
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Types a line at a host that has it; the answer has what was typed before. */
    private String types(int at, String line, String kept) throws IOException {
        host(at).type(NAME, "say " + line, "heard " + line + ", kept " + kept + ".");
        return line;
    }
}
