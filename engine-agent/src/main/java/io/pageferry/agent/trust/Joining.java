package io.pageferry.agent.trust;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.transport.netty.alpn.HttpProtocols;
import io.pageferry.transport.netty.tls.TlsIdentity;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/**
 * A host that asks a CA's agent for a certificate. Its key is made here and stays here.
 *
 * @param trust this host's folder
 */
public record Joining(TrustFolder trust) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PROTOCOL = HttpProtocols.JOIN;

    /** What an agent answers, looked at. */
    private record Answer(String host, X509Certificate made, X509Certificate ca,
            Optional<byte[]> revoked) { }

    /**
     * Joins a CA, in a folder in which there is no certificate yet.
     *
     * @param token that was made for this host
     * @return this host's certificate
     * @throws IOException with one line; nothing is written then
     */
    public X509Certificate join(JoinToken token) throws IOException {
        trust.requirePrivate();
        for (Path file : List.of(trust.certificate(TrustFolder.OWN),
                trust.key(TrustFolder.CA))) {
            if (PemFile.isThere(file)) {
                throw new GuestException(ErrorCode.HOST_FAILED, file + " is there already: this"
                        + " host has joined a CA", "pageferry trust renew renews its certificate;"
                        + " give another --dir, or remove the files of the old one");
            }
        }
        try {
            KeyPair keys = CertificateMaker.keys();
            byte[] request = CertificateMaker.request(keys);
            Answer answer = ask(token.address(), PeerContexts.pinned(token.pin()), JoinDesk.JOIN,
                    JSON.createObjectNode().put("id", HexFormat.of().formatHex(token.id()))
                            .put("proof", HexFormat.of().formatHex(
                                    JoinToken.proof(token.secret(), request))), request);
            if (!MessageDigest.isEqual(token.pin(), JoinToken.pin(answer.ca()))) {
                throw new GeneralSecurityException("it names another CA");
            }
            check(answer, answer.ca(), keys);
            trust.join(keys, answer.made(), answer.ca(), token.address());
            keep(answer);
            return answer.made();
        } catch (GeneralSecurityException e) {
            throw wrong(token.address(), e);
        }
    }

    /**
     * Renews this host's certificate: of its own CA here, else by the CA's agent.
     *
     * @param address of that agent; empty for the one by which this host joined
     * @return the new one
     * @throws IOException with one line; the old one stays then
     */
    public X509Certificate renew(Optional<String> address) throws IOException {
        X509Certificate old = trust.own().read().chain().getFirst();
        if (trust.hasCa()) {
            Optional<IssuedList.Entry> holder = Issuance.of(trust).holder(
                    TlsIdentity.of(old).text());
            return trust.issue(TrustFolder.OWN, holder.orElseThrow(() -> new GuestException(
                    ErrorCode.HOST_FAILED, "the list of what this CA issued does not name this"
                    + " host", "pageferry trust issue makes another certificate")).host(),
                    holder.get().names());
        }
        String agent = address.or(this::remembered).orElseThrow(() -> new GuestException(
                ErrorCode.HOST_FAILED, "nothing in " + trust.path() + " says where the CA's agent"
                + " is", "give --address HOST:PORT"));
        try {
            KeyPair keys = CertificateMaker.keys();
            Answer answer = ask(agent, PeerContexts.of(trust.own()), JoinDesk.RENEW,
                    JSON.createObjectNode(), CertificateMaker.request(keys));
            check(answer, trust.own().read().ca().getFirst(), keys);
            trust.write(TrustFolder.OWN, keys, answer.made());
            keep(answer);
            return answer.made();
        } catch (GeneralSecurityException e) {
            throw wrong(agent, e);
        }
    }

    private Optional<String> remembered() {
        try {
            return trust.agent();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static IOException wrong(String agent, GeneralSecurityException why) {
        return new GuestException(ErrorCode.HOST_FAILED, "the answer of " + agent
                + " cannot be used: " + why.getMessage(), "use the same version of pageferry on"
                + " both hosts");
    }

    private static Answer ask(String agent, SSLContext context, String path, ObjectNode body,
            byte[] request) throws IOException, GeneralSecurityException {
        JsonNode answer = ApiClient.overTls(agent, context, PROTOCOL).call("POST", path,
                body.put("request", Base64.getEncoder().encodeToString(request)));
        try {
            return new Answer(answer.path("host").asText(), certificate(answer, "certificate"),
                    certificate(answer, "ca"), answer.has("revoked") ? Optional.of(
                            bytes(answer, "revoked")) : Optional.empty());
        } catch (IllegalArgumentException e) {
            throw new GeneralSecurityException(e);
        }
    }

    private static byte[] bytes(JsonNode answer, String field) {
        return Base64.getDecoder().decode(answer.path(field).asText());
    }

    private static X509Certificate certificate(JsonNode answer, String field)
            throws GeneralSecurityException {
        return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(
                new ByteArrayInputStream(bytes(answer, field)));
    }

    private static void check(Answer answer, X509Certificate ca, KeyPair keys)
            throws GeneralSecurityException {
        answer.made().verify(ca.getPublicKey());
        if (!answer.made().getPublicKey().equals(keys.getPublic())) {
            throw new GeneralSecurityException("its certificate is for another key");
        }
    }

    private void keep(Answer answer) throws IOException {
        if (answer.revoked().isPresent()) {
            trust.writeRevoked(answer.revoked().get());
        }
    }
}
