package io.pageferry.agent.client;

import java.io.IOException;
import javax.net.ssl.SSLContext;

/**
 * Where an agent is asked with TLS.
 *
 * @param host     that its certificate names
 * @param port     of it
 * @param context  who this side is, and whom it believes
 * @param protocol that both name in the handshake
 */
record TlsAddress(String host, int port, SSLContext context, String protocol) {
    private static final int MAX_PORT = 65535;

    static TlsAddress parse(String text, SSLContext context, String protocol) throws IOException {
        int colon = text.lastIndexOf(':');
        try {
            int port = Integer.parseInt(text.substring(colon + 1));
            if (colon > 0 && port > 0 && port <= MAX_PORT) {
                return new TlsAddress(text.substring(0, colon).replaceAll("^\\[|\\]$", ""), port,
                        context, protocol);
            }
        } catch (NumberFormatException e) {
            // The error is thrown below.
        }
        throw new IOException("'" + text + "' is no address: write HOST:PORT");
    }

    String text() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
