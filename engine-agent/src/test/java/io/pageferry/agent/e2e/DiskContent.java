package io.pageferry.agent.e2e;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;

/** What stands on disks that tests copy. */
public final class DiskContent {
    /** Of {@link #small}. */
    public static final int SMALL = 24 << 20;

    private DiskContent() {
    }

    /**
     * Makes a raw disk that is quick to copy, with all that can be in one.
     *
     * @param file to be made
     * @return the file
     * @throws IOException when it cannot be made
     */
    public static Path small(Path file) throws IOException {
        return sparse(file, SMALL, 5 << 20, (15 << 20) + 5);
    }

    /**
     * Makes a raw disk: noise, then nothing, then a little in places, at its end too.
     *
     * @param file   to be made
     * @param bytes  its length
     * @param noise  so many of them, from the first on, are random
     * @param places where three bytes are something
     * @return the file
     * @throws IOException when it cannot be made
     */
    public static Path sparse(Path file, long bytes, int noise, long... places)
            throws IOException {
        LoopDevice.file(file, bytes, noise);
        try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
            for (long at : places) {
                disk.seek(at);
                disk.write(new byte[] {1, 2, 3});
            }
            disk.seek(bytes - 3);
            disk.write(new byte[] {4, 5, 6});
        }
        return file;
    }

    /**
     * Makes an image of a raw disk, by another program.
     *
     * @param raw    the disk
     * @param image  to be made
     * @param format of it
     * @return the image
     * @throws IOException when it cannot be made
     */
    public static Path image(Path raw, Path image, String format) throws IOException {
        LoopDevice.run("qemu-img", "convert", "-f", "raw", "-O", format, raw.toString(),
                image.toString());
        return image;
    }

    /**
     * Compares the disks in two images, by another program.
     *
     * @param from       an image
     * @param fromFormat of it
     * @param to         another one
     * @param toFormat   of that
     * @return what that program says
     * @throws IOException when it cannot be started
     */
    public static String compare(Path from, String fromFormat, Path to, String toFormat)
            throws IOException {
        return LoopDevice.run("qemu-img", "compare", "-f", fromFormat, "-F", toFormat,
                from.toString(), to.toString()).strip();
    }
}
