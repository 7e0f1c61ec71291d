package io.pageferry.agent.guest.qemu.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class QemuProbeTest {
    private static final String WORD = "{\"cpuid-input-eax\": %d, \"cpuid-register\": \"%s\","
            + " \"features\": %d}";
    private static final String ONE = WORD.formatted(1, "ECX", 117);
    private static final String TWO = WORD.formatted(7, "EBX", 9);

    private static String digest(String... words) throws IOException {
        return QemuProbe.digest(new ObjectMapper().readTree("[" + String.join(",", words) + "]"));
    }

    @Test
    void theCpuOfANewerQemuIsTheSameWithMoreWordsOfNothing() throws IOException {
        assertEquals(digest(ONE, TWO), digest(WORD.formatted(36, "EBX", 0), TWO, ONE));
        assertNotEquals(digest(ONE, TWO), digest(ONE, WORD.formatted(7, "EBX", 8)));
        assertNotEquals(digest(ONE), digest(WORD.formatted(1, "EDX", 117)));
        assertEquals("", digest());
    }
}
