package io.pageferry.transport.netty;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What a source and a target both know, and nobody else; docs/PROTOCOL.md §12. It is shown by
 * proofs and never sent. Immutable, for any thread.
 */
public final class SharedSecret {
    /** Fewest bytes: what is shorter can be guessed from a proof. */
    public static final int SHORTEST = 16;

    /** Most bytes. */
    public static final int LONGEST = 1024;

    private static final String ALGORITHM = "HmacSHA256";
    private static final int CHALLENGE_BYTES = 32;
    private static final byte[] OF_SOURCE = label("pageferry/1 source");
    private static final byte[] OF_TARGET = label("pageferry/1 target");
    private static final SecureRandom RANDOM = new SecureRandom();

    private final SecretKeySpec key;

    /**
     * Makes one of its bytes.
     *
     * @param bytes {@link #SHORTEST} … {@link #LONGEST} of them, copied
     */
    public SharedSecret(byte[] bytes) {
        if (bytes.length < SHORTEST || bytes.length > LONGEST) {
            throw new IllegalArgumentException("a secret has " + SHORTEST + " to " + LONGEST
                    + " bytes, not " + bytes.length);
        }
        this.key = new SecretKeySpec(bytes, ALGORITHM);
    }

    private static byte[] label(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** {@return 32 random bytes, for one connection} */
    public static byte[] challenge() {
        byte[] bytes = new byte[CHALLENGE_BYTES];
        RANDOM.nextBytes(bytes);
        return bytes;
    }

    /**
     * Makes the proof of one side.
     *
     * @param ofSource whether it is the source's
     * @param target   the challenge that the target sent
     * @param source   the challenge that the source sent
     * @return 32 bytes
     */
    public byte[] proof(boolean ofSource, byte[] target, byte[] source) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            mac.update(ofSource ? OF_SOURCE : OF_TARGET);
            mac.update(target);
            return mac.doFinal(source);
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every JDK has " + ALGORITHM, e);
        }
    }

    /**
     * Compares two proofs in a time that does not depend on their bytes.
     *
     * @param expected as made here
     * @param shown    by the peer
     * @return whether they are equal
     */
    public static boolean same(byte[] expected, byte[] shown) {
        return MessageDigest.isEqual(expected, shown);
    }

    /** {@return nothing of what it is} */
    @Override
    public String toString() {
        return "a secret";
    }
}
