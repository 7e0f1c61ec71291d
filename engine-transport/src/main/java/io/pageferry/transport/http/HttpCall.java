package io.pageferry.transport.http;

import java.math.BigInteger;
import java.util.Map;
import java.util.Optional;

/**
 * Asks for something, as it came over a connection: whole, and within the server's limits.
 *
 * @param method  in upper case
 * @param path    decoded, without the query, beginning with a slash
 * @param query   decoded, the last value of each name; never null
 * @param headers the last value of each name, names in lower case; never null
 * @param body    empty where there is none; the handler's own
 * @param caller  who asks
 */
public record HttpCall(String method, String path, Map<String, String> query,
        Map<String, String> headers, byte[] body, Caller caller) {
    /**
     * Names who asks.
     *
     * @param user  the peer's user on this host, or −1 over TLS
     * @param group the peer's first group, or −1 over TLS
     * @param name  identity of the peer's certificate; empty on a unix socket, or without one
     * @param serial number of that certificate, which may be revoked since the connection stands
     */
    public record Caller(int user, int group, String name, Optional<BigInteger> serial) {
        /**
         * Names one who showed no certificate, or of whose certificate the name is enough.
         *
         * @param user  as above
         * @param group as above
         * @param name  as above
         */
        public Caller(int user, int group, String name) {
            this(user, group, name, Optional.empty());
        }
    }
}
