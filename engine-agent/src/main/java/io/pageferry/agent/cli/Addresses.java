package io.pageferry.agent.cli;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/** HOST:PORT on the command line. */
final class Addresses {
    private static final int MAX_PORT = 65535;

    private Addresses() {
    }

    /**
     * Parses and checks an address.
     *
     * @param text     {@code HOST:PORT} or {@code [IPv6]:PORT}
     * @param insecure whether others than loopback are accepted
     */
    static InetSocketAddress parse(String option, String text, boolean insecure) {
        int colon = text.lastIndexOf(':');
        if (colon < 1) {
            throw new UsageException(option + " " + text + ": write HOST:PORT");
        }
        String host = text.substring(0, colon).replaceAll("^\\[|\\]$", "");
        InetSocketAddress address;
        try {
            address = new InetSocketAddress(InetAddress.getByName(host),
                    port(option, text.substring(colon + 1)));
        } catch (UnknownHostException e) {
            throw new UsageException(option + " " + text + ": unknown host " + host);
        }
        if (!insecure && !address.getAddress().isLoopbackAddress()) {
            throw new UsageException(option + " " + text + " is no loopback address: whoever"
                    + " reaches it can read or replace the guest; TLS is not in this version, and"
                    + " --insecure says that the network is trusted");
        }
        return address;
    }

    /** Tells whether a text has the form of an address, whatever it leads to. */
    static boolean isAddress(String text) {
        return text.matches("[\\p{Alnum}.:_%\\[\\]-]+:\\d{1,5}");
    }

    private static int port(String option, String text) {
        try {
            int port = Integer.parseInt(text);
            if (port >= 0 && port <= MAX_PORT) {
                return port;
            }
        } catch (NumberFormatException e) {
            throw new UsageException(option + ": '" + text + "' is no port");
        }
        throw new UsageException(option + ": '" + text + "' is no port");
    }
}
