package io.pageferry.agent.host.disk.nbd;

import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.TimeUnit;

/**
 * An export of an NBD server behind a unix socket, as the standard NBD URI names it.
 *
 * @param export its name; may be empty
 * @param socket absolute path
 */
public record NbdAddress(String export, Path socket) {
    /** Begins each. */
    public static final String SCHEME = "nbd+unix:///";
    /** Name of the parameter that has the socket. */
    public static final String SOCKET = "socket";

    private static final int LONGEST = 4096;

    /**
     * Reads one.
     *
     * @param uri    what stands before the question mark: the scheme, then the export's name
     * @param socket path of the socket
     * @return the address
     * @throws IllegalArgumentException when it makes no sense
     */
    public static NbdAddress parse(String uri, String socket) {
        if (!uri.startsWith(SCHEME)) {
            throw new IllegalArgumentException("write disk:" + SCHEME + "EXPORT?" + SOCKET
                    + "=PATH for an NBD server, not " + uri);
        }
        if (socket == null || !socket.startsWith("/")) {
            throw new IllegalArgumentException(uri + " names no socket: add ?" + SOCKET
                    + "=PATH, the absolute path of the NBD server's");
        }
        String export = decoded(uri.substring(SCHEME.length()));
        if (export.getBytes(StandardCharsets.UTF_8).length > LONGEST) {
            throw new IllegalArgumentException("the name of an NBD export has " + LONGEST
                    + " bytes at most");
        }
        return new NbdAddress(export, Path.of(decoded(socket)));
    }

    /**
     * Tells the export from any other of this host, as long as its server has its socket.
     *
     * @return its identity
     * @throws IOException where there is no such socket
     */
    public String identity() throws IOException {
        return "disk:nbd:" + Files.getAttribute(socket, "unix:dev") + ":"
                + Files.getAttribute(socket, "unix:ino") + ":"
                + Files.readAttributes(socket, BasicFileAttributes.class).creationTime()
                .to(TimeUnit.NANOSECONDS) + ":" + encoded(export);
    }

    /** A plus is itself in a path. */
    private static String decoded(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static String encoded(String text) {
        return text.replace("%", "%25").replace(",", "%2C").replace("?", "%3F")
                .replace("&", "%26").replace("#", "%23").replace(" ", "%20");
    }

    @Override
    public String toString() {
        return SCHEME + encoded(export) + "?" + SOCKET + "=" + encoded(socket.toString());
    }
}
