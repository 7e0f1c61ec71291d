package io.pageferry.agent.guest.qemu.firmware;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;

/**
 * A device state of which QEMU is given all but the end. It has loaded every device then, and shown
 * that it can, but neither takes the disks nor announces the guest before the end comes
 * (process_incoming_migration_bh of migration/migration.c).
 */
public final class HeldBackState {
    /** QEMU_VM_FILE_MAGIC and QEMU_VM_FILE_VERSION. */
    private static final byte[] BEGIN = {'Q', 'E', 'V', 'M', 0, 0, 0, 3};
    /** QEMU_VM_EOF, and QEMU_VM_VMDESCRIPTION with the length 0. */
    private static final byte[] END = {0, 6, 0, 0, 0, 0};
    /** QEMU reads 32 KiB at once (IO_BUF_SIZE of migration/qemu-file.c). */
    private static final int READ_BYTES = 32 << 10;

    private HeldBackState() {
    }

    /** {@return the first bytes of every state, by which QEMU begins to load} */
    public static byte[] begin() {
        return BEGIN.clone();
    }

    /**
     * Returns what QEMU is given then. Once it has read all of that, it has loaded the last
     * device: behind it stands more than QEMU takes at once.
     *
     * @param state of a source that saves devices alone
     * @return the state without its begin and its end, and parts without content
     * @throws GuestException when it does not begin and end so
     */
    public static byte[] middle(byte[] state) throws GuestException {
        int length = state.length - END.length;
        if (length < BEGIN.length
                || !Arrays.equals(state, 0, BEGIN.length, BEGIN, 0, BEGIN.length)
                || !Arrays.equals(state, length, state.length, END, 0, END.length)) {
            throw new GuestException(ErrorCode.GUEST_FAILED,
                    "the device state does not begin and end as one of QEMU's", "");
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(length + 2 * READ_BYTES);
        bytes.write(state, BEGIN.length, length - BEGIN.length);
        try {
            RamSection.padding(new DataOutputStream(bytes), READ_BYTES);
        } catch (IOException e) {
            throw new IllegalStateException("an array takes everything", e);
        }
        return bytes.toByteArray();
    }

    /** {@return the end} */
    public static byte[] end() {
        return END.clone();
    }
}
