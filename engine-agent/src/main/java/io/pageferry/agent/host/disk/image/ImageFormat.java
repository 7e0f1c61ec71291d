package io.pageferry.agent.host.disk.image;

import io.pageferry.core.words.Labelled;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** Formats of files with a disk in them, known by how they begin. */
public enum ImageFormat implements Labelled {
    /** QEMU's. */
    QCOW2,
    /** VMware's, all in one file. */
    VMDK,
    /** Hyper-V's. */
    VHDX,
    /** VirtualBox's. */
    VDI;

    private static final int HEAD = 4096;
    private static final int QCOW2_MAGIC = 0x514649fb;
    private static final int QCOW2_FEATURES = 72;
    private static final int QCOW2_CRYPT = 32;
    private static final int QCOW2_CORRUPT = 2;
    private static final int QCOW2_DATA_FILE = 4;
    private static final int VMDK_MAGIC = 0x4b444d56;
    private static final int VMDK_CAPACITY = 12;
    private static final int VMDK_DESCRIPTION = 28;
    private static final int VMDK_MOST = 1 << 20;
    private static final int SECTOR = 512;
    private static final int VDI_MAGIC = 0x7f10dabe;
    private static final int VDI_AT = 64;

    /**
     * Finds out what a file begins like. Whoever wrote to a raw disk decides what that begins
     * like: this is for asking back, and not for believing.
     *
     * @param path of a file or device
     * @return the format; empty of anything else
     * @throws IOException when it cannot be read
     */
    public static Optional<ImageFormat> of(Path path) throws IOException {
        ByteBuffer head = read(path, 0, HEAD);
        String text = StandardCharsets.ISO_8859_1.decode(head.duplicate()).toString();
        return Stream.of(values()).filter(format -> switch (format) {
            case QCOW2 -> intAt(head, 0) == QCOW2_MAGIC;
            case VMDK -> intAt(head, 0) == VMDK_MAGIC || text.startsWith("# Disk DescriptorFile")
                    || text.startsWith("COWD");
            case VHDX -> text.startsWith("vhdxfile");
            case VDI -> intAt(head, VDI_AT) == VDI_MAGIC;
        }).findFirst();
    }

    /**
     * Looks whether an image is one that can be moved: complete in itself. One that names other
     * files would have a program of root's open whatever who made it wished.
     *
     * @param path of the image
     * @return what is in the way; empty where nothing is
     * @throws IOException when it cannot be read
     */
    public Optional<String> objection(Path path) throws IOException {
        if (!of(path).equals(Optional.of(this))) {
            return Optional.of("is no " + label() + " image");
        }
        ByteBuffer head = read(path, 0, HEAD);
        return Optional.ofNullable(switch (this) {
            case QCOW2 -> qcow2(head);
            case VMDK -> vmdk(path, head.order(ByteOrder.LITTLE_ENDIAN));
            // Of these QEMU opens none that needs another one.
            case VHDX, VDI -> null;
        });
    }

    private static String qcow2(ByteBuffer head) {
        if (head.remaining() < QCOW2_FEATURES) {
            return "ends in its header";
        }
        int version = head.getInt(Integer.BYTES);
        long features = version > 2 && head.remaining() >= QCOW2_FEATURES + Long.BYTES
                ? head.getLong(QCOW2_FEATURES) : 0;
        if (version < 2) {
            return "is of an old format, qcow";
        }
        if (head.getLong(2 * Integer.BYTES) != 0) {
            return "has a backing file";
        }
        if ((features & QCOW2_DATA_FILE) != 0) {
            return "has its data in another file";
        }
        if ((features & QCOW2_CORRUPT) != 0) {
            return "is marked as corrupt";
        }
        return head.getInt(QCOW2_CRYPT) != 0 ? "is encrypted" : null;
    }

    private static String vmdk(Path path, ByteBuffer head) throws IOException {
        if (head.remaining() < SECTOR || head.getInt(0) != Integer.reverseBytes(VMDK_MAGIC)
                || head.getLong(VMDK_CAPACITY) == 0) {
            return "has its data in other files";
        }
        long at = head.getLong(VMDK_DESCRIPTION) * SECTOR;
        long bytes = head.getLong(VMDK_DESCRIPTION + Long.BYTES) * SECTOR;
        if (at < 0 || bytes < 0 || bytes > VMDK_MOST) {
            return "has no description that could be one";
        }
        String description = StandardCharsets.ISO_8859_1.decode(read(path, at, (int) bytes))
                .toString();
        return description.contains("parentFileNameHint") ? "has a backing file" : null;
    }

    private static int intAt(ByteBuffer head, int at) {
        return head.remaining() < at + Integer.BYTES ? 0 : head.getInt(at);
    }

    private static ByteBuffer read(Path path, long at, int bytes) throws IOException {
        try (FileChannel file = FileChannel.open(path)) {
            // No more than there is: what a header says of lengths is anybody's word.
            ByteBuffer into = ByteBuffer.allocate(
                    (int) Math.min(bytes, Math.max(0, file.size() - at)));
            while (into.hasRemaining() && file.read(into, at + into.position()) > 0) {
                // To the end of the file, or of what is wanted.
            }
            return into.flip();
        }
    }
}
