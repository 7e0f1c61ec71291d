package io.pageferry.agent.cli.option;

import io.pageferry.agent.link.Loopback;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/** HOST:PORT on the command line. */
public final class Addresses {
    private static final int MAX_PORT = 65535;

    private Addresses() {
    }

    /**
     * Parses and checks an address.
     *
     * @param option  as messages name it
     * @param text    {@code HOST:PORT} or {@code [IPv6]:PORT}
     * @param trusted whether others than loopback are accepted: with TLS, or where the network is
     *                declared trusted
     * @return the address, resolved
     */
    public static InetSocketAddress parse(String option, String text, boolean trusted) {
        if (text.startsWith("unix:")) {
            throw new UsageException(option + " " + text + ": unix sockets are not in this version;"
                    + " write HOST:PORT");
        }
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
        Loopback.objection(address, option + " " + text, trusted).ifPresent(why -> {
            throw new UsageException(why + "give --tls-cert, --tls-key and --tls-ca, or --insecure"
                    + " where the whole network is trusted");
        });
        return address;
    }

    /**
     * Returns whether a text has the form of an address, whatever it leads to.
     *
     * @param text of a journal
     * @return whether it does
     */
    public static boolean isAddress(String text) {
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
