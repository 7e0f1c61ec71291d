package io.pageferry.agent.cli.trust;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.trust.Issuance;
import io.pageferry.agent.trust.JoinToken;
import io.pageferry.core.words.Printable;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** Tells what a certificate says, to people or to programs. */
record CertificateWords(Output output) {
    /** One certificate; {@code kind} is CA or host. */
    void tell(String kind, X509Certificate certificate, Path file, Path key) {
        List<String> names = names(certificate);
        String subject = Printable.of(certificate.getSubjectX500Principal().getName());
        String until = certificate.getNotAfter().toInstant().toString();
        ObjectNode event = Output.event("certificate").put("kind", kind).put("subject", subject)
                .put("notAfter", until).put("sha256", print(certificate))
                .put("certificate", file.toString()).put("key", key.toString());
        ArrayNode listed = event.putArray("names");
        names.forEach(listed::add);
        output.emit(event);
        if (!output.isJson()) {
            output.human(kind + "  " + subject + (names.isEmpty() ? "" : "  for "
                    + String.join(", ", names)) + "  until " + until + "  " + file);
        }
    }

    /** One that was issued, or a token that waits. */
    void tell(Issuance.Item item) {
        String state = item.state().name().toLowerCase(Locale.ROOT);
        ObjectNode event = Output.event("issued").put("host", item.host()).put("state", state)
                .put("until", item.until().toString()).put("serial", item.serial());
        ArrayNode listed = event.putArray("names");
        item.names().forEach(listed::add);
        output.emit(event);
        if (!output.isJson()) {
            output.human(String.format(Locale.ROOT, "%-8s %s  until %s  for %s%s", state,
                    item.host(), item.until(), String.join(", ", item.names()),
                    item.serial().isEmpty() ? "" : "  serial " + item.serial()));
        }
    }

    /** A token, which is all that goes to stdout. */
    void tell(String host, JoinToken token, String life) {
        output.emit(Output.event("token").put("host", host).put("token", token.text())
                .put("address", token.address()).put("life", life));
        if (!output.isJson()) {
            output.human(token.text());
        }
        output.note("note     on " + host + ", within " + life + ", once: pageferry trust join"
                + " TOKEN (where other users see its arguments: join -, and the TOKEN on its"
                + " stdin); it reaches this host at " + token.address());
    }

    private static List<String> names(X509Certificate certificate) {
        List<String> names = new ArrayList<>();
        try {
            Collection<List<?>> all = certificate.getSubjectAlternativeNames();
            if (all != null) {
                all.stream().filter(name -> name.get(1) instanceof String)
                        .forEach(name -> names.add(Printable.of((String) name.get(1))));
            }
        } catch (CertificateParsingException e) {
            names.add("names that cannot be read");
        }
        return names;
    }

    private static String print(X509Certificate certificate) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256")
                    .digest(certificate.getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}
