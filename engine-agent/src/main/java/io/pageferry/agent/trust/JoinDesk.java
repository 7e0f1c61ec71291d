package io.pageferry.agent.trust;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.http.HttpHandler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Answers hosts that ask the CA of this host's folder for a certificate: with a token, or with the
 * certificate that they have. Whoever shows neither is told nothing, and that late: each connection
 * has one try a second. Any thread.
 */
public final class JoinDesk implements HttpHandler {
    static final String JOIN = "/join";
    static final String RENEW = "/renew";

    private static final int OK = 200;
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;
    private static final int REFUSED_MILLIS = 1000;
    /** Whoever asks again shows his certificate again. */
    private static final Map<String, String> LAST = Map.of("Connection", "close");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final TrustFolder trust;
    private final Consumer<String> log;
    private final Consumer<String> refusals;

    /**
     * Makes one.
     *
     * @param trust with the CA's key
     * @param log   gets a line for each certificate that is issued here
     * @param refusals gets one for each refusal, which strangers can have many of
     */
    public JoinDesk(TrustFolder trust, Consumer<String> log, Consumer<String> refusals) {
        this.trust = trust;
        this.log = log;
        this.refusals = refusals;
    }

    @Override
    public HttpAnswer answer(HttpCall call) {
        try {
            if (call.method().equals("POST") && call.path().equals(JOIN)) {
                return join(call);
            }
            if (call.method().equals("POST") && call.path().equals(RENEW)) {
                return renew(call);
            }
            return refused(NOT_FOUND, new GuestException(ErrorCode.HOST_FAILED,
                    "hosts join here, nothing else", ""));
        } catch (GuestException e) {
            return refused(FORBIDDEN, e);
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            return refused(FORBIDDEN, new GuestException(ErrorCode.HOST_FAILED,
                    "the request cannot be used", "use the same version of pageferry"));
        }
    }

    private HttpAnswer join(HttpCall call) throws IOException, GeneralSecurityException {
        JsonNode body = JSON.readTree(call.body());
        byte[] request = Base64.getDecoder().decode(body.path("request").asText());
        byte[] proof = HexFormat.of().parseHex(body.path("proof").asText());
        return trust.lock().holding(() -> {
            JoinTokens.Pending token = trust.tokens().take(body.path("id").asText(), request,
                    proof);
            return issued("joined", token.host(), token.names(), request);
        });
    }

    private HttpAnswer renew(HttpCall call) throws IOException, GeneralSecurityException {
        byte[] request = Base64.getDecoder().decode(
                JSON.readTree(call.body()).path("request").asText());
        return trust.lock().holding(() -> renew(call.caller(), request));
    }

    /** The handshake saw that the certificate was good, which may be some time ago. */
    private HttpAnswer renew(HttpCall.Caller caller, byte[] request)
            throws IOException, GeneralSecurityException {
        if (caller.serial().isEmpty()
                || Issuance.of(trust).isRevoked(caller.serial().get())) {
            throw new GuestException(ErrorCode.HOST_FAILED, "only a host with a certificate that"
                    + " was not revoked can renew it", "join with a token");
        }
        Optional<IssuedList.Entry> holder = Issuance.of(trust).holder(caller.name());
        if (holder.isEmpty()) {
            throw new GuestException(ErrorCode.HOST_FAILED, "the list of what this CA issued does"
                    + " not name " + caller.name(), "join with a token");
        }
        return issued("renewed", holder.get().host(), holder.get().names(), request);
    }

    private HttpAnswer issued(String how, String host, HostNames names, byte[] request)
            throws IOException, GeneralSecurityException {
        PublicKey key = CertificateMaker.keyOf(request);
        X509Certificate made = trust.sign(host, names, key);
        log.accept("trust: " + host + " " + how + ", serial "
                + made.getSerialNumber().toString(16));
        ObjectNode body = JSON.createObjectNode().put("host", host)
                .put("certificate", Base64.getEncoder().encodeToString(made.getEncoded()))
                .put("ca", Base64.getEncoder().encodeToString(trust.ca().getEncoded()));
        Optional<X509CRL> revoked = trust.revoked();
        if (revoked.isPresent()) {
            body.put("revoked", Base64.getEncoder().encodeToString(revoked.get().getEncoded()));
        }
        return new HttpAnswer.Whole(OK, "application/json", LAST, JSON.writeValueAsBytes(body));
    }

    /** Late, and no thread waits for that. */
    private HttpAnswer refused(int status, GuestException why) {
        refusals.accept("a host that joins: " + why.getMessage());
        ObjectNode body = JSON.createObjectNode().put("status", status).put("code", "not-admitted")
                .put("reason", why.getMessage()).put("side", "agent").put("remedy", why.remedy());
        HttpAnswer answer = new HttpAnswer.Whole(status, "application/problem+json", LAST,
                body.toString().getBytes(StandardCharsets.UTF_8));
        return new HttpAnswer.Later(() -> new CompletableFuture<HttpAnswer>()
                .completeOnTimeout(answer, REFUSED_MILLIS, TimeUnit.MILLISECONDS));
    }
}
