package io.pageferry.transport.netty.tls;

import io.netty.handler.ssl.NotSslRecordException;
import io.pageferry.core.words.Printable;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Says in one line why a connection with TLS did not come about, or ended. */
final class TlsWords {
    static final String BOTH_OR_NONE = "give --tls-cert, --tls-key and --tls-ca to both sides";
    static final String CLOSED = "the peer closed the connection in the TLS handshake: "
            + BOTH_OR_NONE + ", with the same CA";
    static final String PLAIN = "the target does not speak TLS: " + BOTH_OR_NONE;

    /** Of BoringSSL and of the JDK, in small letters. */
    private static final Pattern ALERT = Pattern.compile("alert(?:: |_)(\\w+)");

    /** Of BoringSSL, of the JDK, and in an alert. */
    private static final Pattern PROTOCOL =
            Pattern.compile("protocol.version|unsupported.protocol");

    private TlsWords() {
    }

    /**
     * Finds the words.
     *
     * @param cause  what Netty or an engine threw
     * @param client whether this side is the source
     */
    static String of(Throwable cause, boolean client) {
        for (Throwable at = cause; at != null; at = at.getCause()) {
            if (at instanceof NotSslRecordException) {
                return "the peer is not Pageferry: it answers without TLS";
            }
            if (at instanceof ClosedChannelException) {
                return CLOSED;
            }
            if (at instanceof CertificateException || at instanceof CertPathBuilderException) {
                return certificate(at, client);
            }
        }
        return other(deepest(cause), client);
    }

    private static String deepest(Throwable cause) {
        Throwable at = cause;
        while (at.getCause() != null) {
            at = at.getCause();
        }
        return Printable.of(String.valueOf(at.getMessage()));
    }

    private static String certificate(Throwable problem, boolean client) {
        String whose = client ? "the target's certificate " : "the source's certificate ";
        for (Throwable at = problem; at != null; at = at.getCause()) {
            if (at instanceof CertificateExpiredException) {
                return whose + "has expired: make another one (pageferry trust issue)";
            }
            if (at instanceof CertificateNotYetValidException) {
                return whose + "is not valid yet: look at the clocks of both hosts";
            }
        }
        String why = deepest(problem);
        int details = why.indexOf(" found for SNIHostName");
        if (details >= 0) {
            // What follows names each certificate of the chain.
            why = why.substring(0, details + " found".length());
        }
        if (why.startsWith("No subject alternative") || why.startsWith("No name matching")) {
            return whose + "is for another host (" + why + "): give the name that is in it by"
                    + " --to, or make one with that name (pageferry trust issue)";
        }
        return whose + "is not signed by a CA of --tls-ca (" + why + ")";
    }

    /** Alerts of the peer, and what BoringSSL says in its own words. */
    private static String other(String why, boolean client) {
        String low = why.toLowerCase(Locale.ROOT);
        if (low.contains("empty client certificate") || low.contains("not_return_a_cert")) {
            return "the source shows no certificate: " + BOTH_OR_NONE;
        }
        if (PROTOCOL.matcher(low).find()) {
            return "the peer speaks no TLS 1.3, and nothing older is taken";
        }
        // BoringSSL says internal_error of any certificate that the JDK's rules refuse.
        if (low.contains("alert") && (low.contains("certificate") || low.contains("_ca")
                || low.contains("internal_error"))) {
            return (client ? "the target" : "the source") + " does not accept the certificate of"
                    + " this side (" + alert(low) + "): both need certificates that the other's"
                    + " --tls-ca signed, with the right names";
        }
        return "TLS failed: " + why;
    }

    private static String alert(String low) {
        Matcher named = ALERT.matcher(low);
        return "alert " + (named.find() ? named.group(1) : low);
    }
}
