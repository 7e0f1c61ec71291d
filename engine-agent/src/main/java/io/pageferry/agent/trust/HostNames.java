package io.pageferry.agent.trust;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The names that a host's certificate will have, checked.
 *
 * @param dns       names
 * @param addresses as texts
 * @param uris      as texts
 */
public record HostNames(List<String> dns, List<String> addresses, List<String> uris) {
    private static final String LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    private static final Pattern DNS = Pattern.compile(LABEL + "(\\." + LABEL + ")*");
    /** A name of a file, and of a subject that needs no quotes in any tool. */
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9][A-Za-z0-9.:_-]{0,63}");
    /** A common name has at most 64 characters (RFC 5280, ub-common-name). */
    private static final Pattern NAME = Pattern.compile("[^\\p{Cntrl}\"\\\\]{1,64}");

    /**
     * Puts the names together: what was given, or the loopback ones where nothing was; and the
     * host's own, so that it can be listed and connected to by it.
     *
     * @param host      names its files
     * @param dns       names that were given
     * @param addresses that were given
     * @param uris      that were given
     * @return all of them
     * @throws IllegalArgumentException where one cannot be a name, which it says
     */
    public static HostNames of(String host, List<String> dns, List<String> addresses,
            List<String> uris) {
        if (!HOST.matcher(host).matches() || TrustFolder.RESERVED.contains(host)) {
            throw new IllegalArgumentException("'" + host + "' cannot name a host's files: write"
                    + " letters, digits, dots and dashes, at most 64, and not ca or host");
        }
        Set<String> names = new LinkedHashSet<>();
        Set<String> numbers = new LinkedHashSet<>();
        if (isAddress(host)) {
            numbers.add(host);
        } else if (DNS.matcher(host).matches()) {
            names.add(host);
        }
        for (String name : dns) {
            if (!DNS.matcher(name).matches() || isAddress(name)) {
                throw new IllegalArgumentException("--dns " + name + " is no DNS name");
            }
            names.add(name);
        }
        for (String address : addresses) {
            if (!isAddress(address)) {
                throw new IllegalArgumentException("--ip " + address + " is no address");
            }
            numbers.add(address);
        }
        uris.forEach(HostNames::requireUri);
        if (dns.isEmpty() && addresses.isEmpty()) {
            names.add("localhost");
            numbers.add("127.0.0.1");
        }
        return new HostNames(new ArrayList<>(names), new ArrayList<>(numbers), uris);
    }

    /**
     * Checks the name of a CA.
     *
     * @param option as messages name it
     * @param name   as it was given
     */
    public static void requireName(String option, String name) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(option + " '" + name
                    + "': at most 64 characters, no quotes");
        }
    }

    /** {@return all of them} */
    public List<String> all() {
        return Stream.of(dns, addresses, uris).flatMap(List::stream).toList();
    }

    private static void requireUri(String text) {
        try {
            if (new URI(text).isAbsolute()) {
                return;
            }
        } catch (URISyntaxException e) {
            // The error is thrown below.
        }
        throw new IllegalArgumentException("--uri " + text
                + " is no URI: write SCHEME://HOST/PATH");
    }

    /** No name is looked up. */
    private static boolean isAddress(String text) {
        try {
            return InetAddress.ofLiteral(text) != null;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
