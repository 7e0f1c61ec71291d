package io.pageferry.agent.cli.option;

import io.pageferry.agent.link.Loopback;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/** Addresses on the command line: HOST:PORT, or unix:PATH. */
public final class Addresses {
    private static final String UNIX = "unix:";
    private static final int MAX_PORT = 65535;

    private Addresses() {
    }

    /**
     * Parses and checks an address.
     *
     * @param option  as messages name it
     * @param text    {@code HOST:PORT}, {@code [IPv6]:PORT} or {@code unix:PATH}
     * @param tls     with TLS, others than loopback are accepted, and no unix sockets
     * @param trusted whether the network is declared trusted, so that others than loopback are
     *                accepted without
     * @return the address, resolved
     */
    public static SocketAddress parse(String option, String text, Optional<TlsOptions> tls,
            boolean trusted) {
        return text.startsWith(UNIX)
                ? unix(option, text, text.substring(UNIX.length()), tls.isPresent())
                : tcp(option, text, trusted || tls.isPresent());
    }

    private static SocketAddress unix(String option, String text, String path, boolean tls) {
        if (path.isEmpty()) {
            throw new UsageException(option + " " + text + ": write unix:PATH");
        }
        UnixDomainSocketAddress socket;
        try {
            socket = UnixDomainSocketAddress.of(Path.of(path).toAbsolutePath());
        } catch (InvalidPathException e) {
            throw new UsageException(option + " " + text + ": no path (" + e.getReason() + ")");
        }
        Loopback.objection(socket, option + " " + text, tls).ifPresent(why -> {
            throw new UsageException(why);
        });
        return socket;
    }

    private static InetSocketAddress tcp(String option, String text, boolean trusted) {
        int colon = text.lastIndexOf(':');
        if (colon < 1) {
            throw new UsageException(option + " " + text + ": write HOST:PORT or unix:PATH");
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
        return text.startsWith(UNIX + "/")
                || text.matches("[\\p{Alnum}.:_%\\[\\]-]+:\\d{1,5}");
    }

    /**
     * Writes an address so that it can be given to {@code --to}.
     *
     * @param address where this side listens
     * @return the text, with numbers for the host
     */
    public static String text(SocketAddress address) {
        if (!(address instanceof InetSocketAddress tcp)) {
            return UNIX + address;
        }
        String host = tcp.getAddress().getHostAddress();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + tcp.getPort();
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
