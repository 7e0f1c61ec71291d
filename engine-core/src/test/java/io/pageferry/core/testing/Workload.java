package io.pageferry.core.testing;

import io.pageferry.core.memory.PageGeometry;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;

/**
 * A guest's idea of its own memory: a version of every page, from which the page's bytes follow.
 * It travels in the device state, so that the guest can check itself at the target. Version 0 is
 * a page never written; about one version in ten is all zero, and one in ten is a hole. Every other
 * page is like a counter: four versions in turn differ by eight bytes.
 */
public final class Workload {
    private final long seed;
    private final int[] versions;

    /**
     * Makes the table of a guest that wrote nothing.
     *
     * @param seed  of all contents
     * @param pages of the guest
     */
    public Workload(long seed, int pages) {
        this.seed = seed;
        this.versions = new int[pages];
    }

    /**
     * Reads a table back.
     *
     * @param state begins with {@link #save}'s bytes
     * @return the table
     */
    public static Workload load(byte[] state) {
        ByteBuffer in = ByteBuffer.wrap(state);
        Workload loaded = new Workload(in.getLong(), in.getInt());
        for (int i = 0; i < loaded.versions.length; i++) {
            loaded.versions[i] = in.getInt();
        }
        return loaded;
    }

    /**
     * Writes the table.
     *
     * @return its bytes
     */
    public byte[] save() {
        ByteBuffer out = ByteBuffer.allocate(12 + versions.length * 4);
        out.putLong(seed).putInt(versions.length);
        for (int version : versions) {
            out.putInt(version);
        }
        return out.array();
    }

    /**
     * Gives a page its next version.
     *
     * @param page global index
     */
    public void touch(int page) {
        versions[page]++;
    }

    /**
     * Tells whether a page's present version is a hole.
     *
     * @param page global index
     * @return true for a page never written, too
     */
    public boolean isHole(int page) {
        return versions[page] == 0 || kind(page) == 9;
    }

    /**
     * Tells whether a page's present version is all zero.
     *
     * @param page global index
     * @return true for a hole, too
     */
    public boolean isZero(int page) {
        return isHole(page) || kind(page) == 8;
    }

    /**
     * Tells what a page must hold.
     *
     * @param page global index
     * @return 4096 bytes, zeros for a hole
     */
    public byte[] content(int page) {
        byte[] bytes = new byte[PageGeometry.PAGE_SIZE];
        if (isZero(page)) {
            return bytes;
        }
        SplittableRandom random = stream(page);
        // A page of kind 0 to 3 does not compress; the others repeat their first bytes.
        int unique = kind(page) < 4 ? bytes.length : 16 << kind(page);
        ByteBuffer out = ByteBuffer.wrap(bytes);
        out.putInt(page).putInt(versions[page]);
        while (out.position() < unique) {
            out.putLong(random.nextLong());
        }
        while (out.hasRemaining()) {
            out.put(bytes[out.position() - unique]);
        }
        return bytes;
    }

    /** {@return pages of the guest} */
    public int pages() {
        return versions.length;
    }

    private int kind(int page) {
        return stream(page).split().nextInt(10);
    }

    private SplittableRandom stream(int page) {
        int draw = page % 2 == 0 ? versions[page] : (versions[page] + 3) / 4;
        return new SplittableRandom(seed ^ page * 0x9E3779B97F4A7C15L ^ draw * 0xD1B5L);
    }
}
