package io.pageferry.agent.link;

import java.net.InetSocketAddress;
import java.util.Optional;

/** Decides which addresses are used: without encryption those of this host alone. */
public final class Loopback {
    private Loopback() {
    }

    /**
     * Returns what is wrong with an address, if anything.
     *
     * @param address resolved
     * @param text    the address as messages name it
     * @param trusted whether the whole network was declared trusted
     * @return one line, which the caller ends with how to allow it; empty where it is fine
     */
    public static Optional<String> objection(InetSocketAddress address, String text,
            boolean trusted) {
        return trusted || address.getAddress().isLoopbackAddress() ? Optional.empty()
                : Optional.of(text + " is no loopback address: whoever reaches it can read or"
                        + " replace the guest; ");
    }
}
