package io.pageferry.agent.trust;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class JoinTokenTest {
    private final JoinToken token = new JoinToken(bytes(8, 1), bytes(16, 2), bytes(32, 3),
            "[fe80::1]:4477");

    private static byte[] bytes(int count, int first) {
        byte[] all = new byte[count];
        for (int i = 0; i < count; i++) {
            all[i] = (byte) (first * 40 + i);
        }
        return all;
    }

    @Test
    void itIsReadAsItWasWritten() {
        JoinToken read = JoinToken.parse(" " + token.text() + "\n");
        assertArrayEquals(token.id(), read.id());
        assertArrayEquals(token.secret(), read.secret());
        assertArrayEquals(token.pin(), read.pin());
        assertEquals("[fe80::1]:4477", read.address());
        assertEquals(token, read);
        assertTrue(token.text().matches("pageferry-join-[\\w-]+"), token.text());
    }

    @Test
    void aPartOfOneAndOneThatWasChangedAreNone() {
        String text = token.text();
        for (int i = 0; i < text.length(); i++) {
            String part = text.substring(0, i);
            assertThrows(IllegalArgumentException.class, () -> JoinToken.parse(part), part);
            String tail = text.substring(i + 1);
            assertThrows(IllegalArgumentException.class, () -> JoinToken.parse(tail), tail);
            String other = part + (text.charAt(i) == 'A' ? 'B' : 'A') + tail;
            assertThrows(IllegalArgumentException.class, () -> JoinToken.parse(other), other);
        }
    }

    @Test
    void itIsNotShownByMistake() {
        assertEquals("token for [fe80::1]:4477", token.toString());
    }

    @Test
    void aProofIsOfOneSecretAndOneRequest() {
        byte[] proof = JoinToken.proof(token.secret(), bytes(9, 5));
        assertArrayEquals(proof, JoinToken.proof(token.secret(), bytes(9, 5)));
        assertFalse(Arrays.equals(proof, JoinToken.proof(token.secret(), bytes(9, 6))));
        assertFalse(Arrays.equals(proof, JoinToken.proof(token.pin(), bytes(9, 5))));
    }
}
