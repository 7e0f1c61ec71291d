package io.pageferry.agent.guest.qemu.firmware;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.migration.GuestException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class HeldBackStateTest {
    private static final byte[] DEVICES = {7, 0, 0, 0, 1, 'p', 4, 1, 2, 3};

    private static byte[] state(byte[] begin, byte[] devices, byte[] end) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (byte[] part : List.of(begin, devices, end)) {
            bytes.write(part);
        }
        return bytes.toByteArray();
    }

    /** What stands behind the devices fills QEMU's buffer, and is whole parts without a page. */
    @Test
    void isGivenInThreePieces() throws IOException {
        byte[] whole = state(HeldBackState.begin(), DEVICES, HeldBackState.end());
        byte[] middle = HeldBackState.middle(whole);
        assertArrayEquals(DEVICES, Arrays.copyOf(middle, DEVICES.length));
        int padding = middle.length - DEVICES.length;
        assertTrue(padding >= 32 << 10, () -> padding + " bytes behind the devices");
        assertEquals(0, padding % 18);
        for (int at = DEVICES.length; at < middle.length; at += 18) {
            assertEquals(2, middle[at]);
            assertEquals(0x10, middle[at + 12]);
            assertEquals(0x7e, middle[at + 13]);
        }
    }

    @Test
    void refusesWhatIsCutShortOrSomethingElse() throws IOException {
        byte[] whole = state(HeldBackState.begin(), DEVICES, HeldBackState.end());
        for (byte[] other : List.of(new byte[0], HeldBackState.end(), HeldBackState.begin(),
                Arrays.copyOf(whole, whole.length - 1),
                state(new byte[8], DEVICES, HeldBackState.end()))) {
            assertThrows(GuestException.class, () -> HeldBackState.middle(other));
        }
    }
}
