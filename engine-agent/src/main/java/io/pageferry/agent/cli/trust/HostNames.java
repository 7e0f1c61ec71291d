package io.pageferry.agent.cli.trust;

import io.pageferry.agent.cli.option.UsageException;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The names that a host's certificate will have, checked.
 *
 * @param dns       names
 * @param addresses as texts
 * @param uris      as texts
 */
record HostNames(List<String> dns, List<String> addresses, List<String> uris) {
    private static final String LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    private static final Pattern DNS = Pattern.compile(LABEL + "(\\." + LABEL + ")*");
    /** A name of a file, and of a subject that needs no quotes in any tool. */
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9][A-Za-z0-9.:_-]{0,63}");
    /** A common name has at most 64 characters (RFC 5280, ub-common-name). */
    private static final Pattern NAME = Pattern.compile("[^\\p{Cntrl}\"\\\\]{1,64}");

    /**
     * Puts the names together: what was given, or the loopback ones where nothing was; and the
     * host's own, so that it can be listed and connected to by it.
     */
    static HostNames of(String host, List<String> dns, List<String> addresses,
            List<String> uris) {
        if (!HOST.matcher(host).matches() || host.equals(TrustFolder.CA)) {
            throw new UsageException("'" + host + "' cannot name a host's files: write letters,"
                    + " digits, dots and dashes, at most 64, and not ca");
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
                throw new UsageException("--dns " + name + " is no DNS name");
            }
            names.add(name);
        }
        for (String address : addresses) {
            if (!isAddress(address)) {
                throw new UsageException("--ip " + address + " is no address");
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

    static void requireName(String option, String name) {
        if (!NAME.matcher(name).matches()) {
            throw new UsageException(option + " '" + name + "': at most 64 characters, no quotes");
        }
    }

    private static void requireUri(String text) {
        try {
            if (new URI(text).isAbsolute()) {
                return;
            }
        } catch (URISyntaxException e) {
            // The error is thrown below.
        }
        throw new UsageException("--uri " + text + " is no URI: write SCHEME://HOST/PATH");
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
