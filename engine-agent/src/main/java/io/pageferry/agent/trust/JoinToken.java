package io.pageferry.agent.trust;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Base64;
import java.util.zip.CRC32C;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What lets one host join: where the CA's agent is, the SHA-256 of the CA's certificate, by which
 * the host knows it, and a secret, by which the agent knows the host.
 *
 * @param id      names it to the agent
 * @param secret  is never sent
 * @param pin     of the CA's certificate
 * @param address of the agent, HOST:PORT
 */
public record JoinToken(byte[] id, byte[] secret, byte[] pin, String address) {
    static final int ID_BYTES = 8;
    static final int SECRET_BYTES = 16;

    private static final String PREFIX = "pageferry-join-";
    private static final byte VERSION = 1;
    private static final int PIN_BYTES = 32;
    private static final int SUM_BYTES = Integer.BYTES;
    private static final int LEAST = 1 + ID_BYTES + SECRET_BYTES + PIN_BYTES + SUM_BYTES;
    private static final int LONGEST = 512;
    private static final String MAC = "HmacSHA256";
    /** What the proof is about, so that it is none of anything else. */
    private static final byte[] PURPOSE =
            "pageferry join 1\n".getBytes(StandardCharsets.US_ASCII);

    /** {@return one word, to be copied} */
    public String text() {
        byte[] to = address.getBytes(StandardCharsets.UTF_8);
        ByteBuffer all = ByteBuffer.allocate(LEAST + to.length).put(VERSION).put(id).put(secret)
                .put(pin).put(to);
        all.putInt(sum(all.array()));
        return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(all.array());
    }

    /**
     * Reads one.
     *
     * @param text as it was copied
     * @return the token
     * @throws IllegalArgumentException where it is none, or a part of one
     */
    public static JoinToken parse(String text) {
        byte[] all = bytes(text.strip());
        if (all.length < LEAST || ByteBuffer.wrap(all).getInt(all.length - SUM_BYTES)
                != sum(all)) {
            throw wrong();
        }
        if (all[0] != VERSION) {
            throw new IllegalArgumentException("the token is of another version of pageferry: use"
                    + " the same one on both hosts");
        }
        ByteBuffer from = ByteBuffer.wrap(all, 1, all.length - 1);
        return new JoinToken(take(from, ID_BYTES), take(from, SECRET_BYTES),
                take(from, PIN_BYTES), new String(take(from, from.remaining() - SUM_BYTES),
                        StandardCharsets.UTF_8));
    }

    private static byte[] bytes(String text) {
        if (!text.startsWith(PREFIX) || text.length() > LONGEST) {
            throw wrong();
        }
        try {
            return Base64.getUrlDecoder().decode(text.substring(PREFIX.length()));
        } catch (IllegalArgumentException e) {
            throw wrong();
        }
    }

    private static IllegalArgumentException wrong() {
        return new IllegalArgumentException("this is no token, or a part of it is missing: copy"
                + " the whole word that pageferry trust token printed");
    }

    private static byte[] take(ByteBuffer from, int length) {
        byte[] taken = new byte[length];
        from.get(taken);
        return taken;
    }

    private static int sum(byte[] all) {
        CRC32C sum = new CRC32C();
        sum.update(all, 0, all.length - SUM_BYTES);
        return (int) sum.getValue();
    }

    /** Proves to know a secret, for one request. */
    static byte[] proof(byte[] secret, byte[] request) {
        try {
            Mac mac = Mac.getInstance(MAC);
            mac.init(new SecretKeySpec(secret, MAC));
            mac.update(PURPOSE);
            return mac.doFinal(request);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has " + MAC, e);
        }
    }

    /**
     * Sums up a certificate.
     *
     * @param certificate of a CA
     * @return its SHA-256
     * @throws GeneralSecurityException where it has no encoded form
     */
    public static byte[] pin(X509Certificate certificate) throws GeneralSecurityException {
        return MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof JoinToken token && text().equals(token.text());
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(id);
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return "token for " + address;
    }
}
