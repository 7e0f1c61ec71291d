package io.pageferry.core.codec;

import io.pageferry.core.memory.PageGeometry;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A batch of encoded pages of one region in memory that it does not own (a frame slot of the
 * transport): a payload area and, beside it, a directory: for each page a descriptor and the CRC32C
 * of its 4096 bytes. Reused, never allocated on the way of a page. Used by one thread at a time.
 *
 * <p>A descriptor packs, from the lowest bit: 40 bits global page index, 16 bits encoded length,
 * 8 bits codec id. 40 bits of 4 KiB pages are 4 PiB.
 */
public final class PageBatch {
    /** Most pages of one batch, those without payload among them. */
    public static final int MAX_PAGES = 1024;

    /** Payload bytes of one batch: 128 raw pages, the packet of QEMU's multifd. */
    public static final int PAYLOAD_CAPACITY = 128 * PageGeometry.PAGE_SIZE;

    /** Bytes that a page takes in the directory on the wire. */
    public static final int DIRECTORY_ENTRY_BYTES = 16;

    private static final int PAGE_BITS = 40;
    private static final int LENGTH_BITS = 16;
    private static final long PAGE_MASK = (1L << PAGE_BITS) - 1;

    private final MemorySegment payload;
    private final ByteBuffer payloadBuffer;
    private final long[] descriptors = new long[MAX_PAGES];
    private final int[] checksums = new int[MAX_PAGES];
    private final int[] references = new int[MAX_PAGES];
    private int count;
    private int payloadBytes;
    private int reserved;
    private int limit = Integer.MAX_VALUE;
    private int region;
    private long round;
    private long generation;
    private int channel;
    private long sequence;

    /**
     * Makes an empty batch over a payload area.
     *
     * @param payload {@link #PAYLOAD_CAPACITY} bytes that outlive this batch
     */
    public PageBatch(MemorySegment payload) {
        if (payload.byteSize() != PAYLOAD_CAPACITY) {
            throw new IllegalArgumentException("payload area of " + payload.byteSize() + " bytes");
        }
        this.payload = payload;
        this.payloadBuffer = payload.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Packs a descriptor.
     *
     * @param page   global index, below 2⁴⁰
     * @param codec  codec id, 1 … 255
     * @param length encoded bytes, 0 … 65535
     * @return the descriptor
     */
    public static long descriptor(long page, int codec, int length) {
        return (long) codec << PAGE_BITS + LENGTH_BITS | (long) length << PAGE_BITS | page;
    }

    /**
     * Reads a descriptor.
     *
     * @param descriptor a descriptor
     * @return its global page index
     */
    public static long pageOf(long descriptor) {
        return descriptor & PAGE_MASK;
    }

    /**
     * Reads a descriptor.
     *
     * @param descriptor a descriptor
     * @return its encoded length in bytes, 0 … 65535, unchecked
     */
    public static int lengthOf(long descriptor) {
        return (int) (descriptor >>> PAGE_BITS) & 0xffff;
    }

    /**
     * Reads a descriptor.
     *
     * @param descriptor a descriptor
     * @return its codec id, 0 … 255, unchecked
     */
    public static int codecOf(long descriptor) {
        return (int) (descriptor >>> PAGE_BITS + LENGTH_BITS);
    }

    /**
     * Empties the batch for pages of one region.
     *
     * @param region a region's id
     * @param round  the round, 0 based
     */
    public void begin(int region, long round) {
        this.region = region;
        this.round = round;
        this.count = 0;
        this.payloadBytes = 0;
        this.reserved = 0;
    }

    /**
     * Returns whether one more page fits, however badly it compresses.
     *
     * @return true when {@link #append} may be called
     */
    public boolean hasRoom() {
        return room() > 0;
    }

    /**
     * Returns how many pages fit, however badly they compress.
     *
     * @return 0 where {@link #hasRoom} is false
     */
    public int room() {
        int left = PAYLOAD_CAPACITY - payloadBytes - reserved;
        int pages = Math.min(MAX_PAGES - count, left / PageGeometry.PAGE_SIZE);
        int bound = (limit - bytes() - reserved) / (PageGeometry.PAGE_SIZE + DIRECTORY_ENTRY_BYTES);
        return Math.min(pages, count == 0 ? Math.max(1, bound) : Math.max(0, bound));
    }

    /**
     * Bounds the batch further, until it is bounded anew. One page always fits.
     *
     * @param bytes most payload and directory together
     */
    public void limit(int bytes) {
        limit = bytes;
    }

    /**
     * Keeps room in the payload for bytes that come later, until the batch is emptied.
     *
     * @param bytes so many, in place of those that were kept before
     */
    public void reserve(int bytes) {
        reserved = bytes;
    }

    /**
     * Notes a page whose encoded bytes were put at {@link #payloadBytes()}.
     *
     * @param page     global index, in this batch's region
     * @param codec    codec id
     * @param length   encoded bytes, 0 … 4096
     * @param checksum CRC32C of the page as it will be decoded
     */
    public void append(long page, int codec, int length, int checksum) {
        setEntry(count++, descriptor(page, codec, length), checksum, 0);
        payloadBytes += length;
    }

    /**
     * Refers the page appended last to another content.
     *
     * @param reference as its codec says
     */
    public void refer(int reference) {
        references[count - 1] = reference;
    }

    /**
     * Gives bytes to an entry that was appended with none, once they were put at {@link
     * #payloadBytes()}. It becomes the last one of the directory, in whose order payloads lie.
     *
     * @param index  the entry, 0 … {@link #count()} − 1
     * @param length of its bytes
     */
    public void complete(int index, int length) {
        long descriptor = descriptors[index];
        int checksum = checksums[index];
        int behind = --count - index;
        System.arraycopy(descriptors, index + 1, descriptors, index, behind);
        System.arraycopy(checksums, index + 1, checksums, index, behind);
        System.arraycopy(references, index + 1, references, index, behind);
        append(pageOf(descriptor), codecOf(descriptor), length, checksum);
    }

    /**
     * Fills in what arrived from a peer: called by the transport after it verified the frame.
     *
     * @param count        descriptors set by {@link #setEntry}, 0 … {@link #MAX_PAGES}
     * @param payloadBytes bytes of payload present, 0 … {@link #PAYLOAD_CAPACITY}
     */
    public void received(int count, int payloadBytes) {
        this.count = count;
        this.payloadBytes = payloadBytes;
    }

    /**
     * Sets one entry of the directory of a received batch.
     *
     * @param index      0 … {@link #MAX_PAGES} − 1
     * @param descriptor as on the wire, unchecked
     * @param checksum   CRC32C that the page is to have
     * @param reference  as its codec says
     */
    public void setEntry(int index, long descriptor, int checksum, int reference) {
        descriptors[index] = descriptor;
        checksums[index] = checksum;
        references[index] = reference;
    }

    /**
     * Stamps where in the stream the batch stands; called by the sink or the transport.
     *
     * @param generation session generation, ≥ 1
     * @param channel    data channel, 0 based
     * @param sequence   number on that channel in this generation, from 1
     */
    public void stamp(long generation, int channel, long sequence) {
        this.generation = generation;
        this.channel = channel;
        this.sequence = sequence;
    }

    /**
     * Gives the payload area.
     *
     * @return the whole area; bytes 0 … {@link #payloadBytes()} − 1 are in use
     */
    public MemorySegment payload() {
        return payload;
    }

    /**
     * Gives the payload area to int-indexed code.
     *
     * @return a little-endian view of {@link #payload()}; position and limit are the user's to set
     */
    public ByteBuffer payloadBuffer() {
        return payloadBuffer;
    }

    /**
     * Reads a descriptor.
     *
     * @param index 0 … {@link #count()} − 1
     * @return the packed descriptor
     */
    public long descriptorAt(int index) {
        return descriptors[index];
    }

    /**
     * Reads a checksum.
     *
     * @param index 0 … {@link #count()} − 1
     * @return CRC32C that the page is to have once it is decoded
     */
    public int checksumAt(int index) {
        return checksums[index];
    }

    /**
     * Reads a reference.
     *
     * @param index 0 … {@link #count()} − 1
     * @return what the page refers to, as its codec says; 0 where to nothing
     */
    public int referenceAt(int index) {
        return references[index];
    }

    /** {@return bytes of directory and payload together} */
    public int bytes() {
        return payloadBytes + count * DIRECTORY_ENTRY_BYTES;
    }

    /** {@return pages in this batch} */
    public int count() {
        return count;
    }

    /** {@return bytes of payload in use} */
    public int payloadBytes() {
        return payloadBytes;
    }

    /** {@return bytes of payload kept by {@link #reserve}} */
    public int reserved() {
        return reserved;
    }

    /** {@return the region of all its pages} */
    public int region() {
        return region;
    }

    /** {@return the round that sent it, 0 based} */
    public long round() {
        return round;
    }

    /** {@return the session generation in which it was sent} */
    public long generation() {
        return generation;
    }

    /** {@return the data channel that carries it, 0 based} */
    public int channel() {
        return channel;
    }

    /** {@return its number on the channel, from 1} */
    public long sequence() {
        return sequence;
    }
}
