package io.pageferry.agent.cli.trust;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
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
