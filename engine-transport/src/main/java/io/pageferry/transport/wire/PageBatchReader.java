package io.pageferry.transport.wire;

import static io.pageferry.transport.wire.WireException.violation;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import java.nio.ByteBuffer;

/**
 * Checks the batches of one data channel in one generation, as docs/PROTOCOL.md §8 lists it, and
 * hands over what held. For one thread; allocates only when it refuses.
 */
public final class PageBatchReader {
    /** The codec whose pages refer to a base, and the one whose length is that of a block. */
    private static final int DELTA = 4;
    private static final int ZSTD = 6;

    private final RegionTable regions;
    private final long generation;
    private final int channel;
    private long sequence;

    /**
     * Makes one that expects sequence 1.
     *
     * @param regions    the guest's memory, as agreed
     * @param generation the session's
     * @param channel    the connection's
     */
    public PageBatchReader(RegionTable regions, long generation, int channel) {
        this.regions = regions;
        this.generation = generation;
        this.channel = channel;
    }

    /**
     * Checks a body whose checksum held and describes it.
     *
     * @param frame    little-endian, the body from {@code offset}
     * @param offset   where the body begins
     * @param verified checked the frame
     * @param credit   last sequence that may come now
     * @param into     the batch to fill; its payload already lies in the frame
     * @throws WireException when it does not hold; {@code into} is worth nothing then
     */
    public void read(ByteBuffer frame, int offset, FrameVerifier verified, long credit,
            PageBatch into) throws WireException {
        int count = Short.toUnsignedInt(frame.getShort(offset + PageBatchWriter.COUNT));
        int payload = frame.getInt(offset + PageBatchWriter.PAYLOAD_BYTES);
        checkShape(count, payload, verified);
        if (frame.getInt(offset + PageBatchWriter.RESERVED) != 0) {
            throw violation("batch reserved", "not 0");
        }
        checkPlace(frame, offset, credit);
        long round = frame.getLong(offset + PageBatchWriter.ROUND);
        if (round < 0) {
            throw violation("batch round", Long.toUnsignedString(round));
        }
        int region = frame.getInt(offset + PageBatchWriter.REGION);
        if (region < 0 || region >= regions.regions().size()) {
            throw violation("batch region", Integer.toUnsignedString(region));
        }
        into.begin(region, round);
        int at = offset + WireLimits.BATCH_HEADER_BYTES;
        checkPages(frame, at, count, payload, into);
        into.received(count, payload);
        into.stamp(generation, channel, ++sequence);
    }

    private static void checkShape(int count, int payload, FrameVerifier frame)
            throws WireException {
        if (count < 1 || count > PageBatch.MAX_PAGES) {
            throw violation("batch count", count + ", allowed 1 to " + PageBatch.MAX_PAGES);
        }
        if (payload < 0 || payload > PageBatch.PAYLOAD_CAPACITY) {
            throw violation("batch payload bytes", Integer.toUnsignedString(payload));
        }
        int directoryEnd = WireLimits.BATCH_HEADER_BYTES
                + count * PageBatch.DIRECTORY_ENTRY_BYTES;
        if (directoryEnd != frame.summedLength()
                || directoryEnd + payload != frame.bodyLength()) {
            throw violation("batch body length", frame.bodyLength() + ", summed "
                    + frame.summedLength() + ", does not hold " + count + " entries and "
                    + payload + " bytes");
        }
    }

    private void checkPlace(ByteBuffer frame, int offset, long credit) throws WireException {
        long itsGeneration = frame.getLong(offset + PageBatchWriter.GENERATION);
        if (itsGeneration != generation) {
            throw violation("batch generation", Long.toUnsignedString(itsGeneration)
                    + ", the session is at " + generation);
        }
        int itsChannel = Short.toUnsignedInt(frame.getShort(offset + PageBatchWriter.CHANNEL));
        if (itsChannel != channel) {
            throw violation("batch channel", itsChannel + " on the connection of " + channel);
        }
        long itsSequence = frame.getLong(offset + PageBatchWriter.SEQUENCE);
        if (itsSequence != sequence + 1) {
            throw violation("batch sequence",
                    Long.toUnsignedString(itsSequence) + " after " + sequence);
        }
        if (itsSequence > credit) {
            throw violation("batch sequence", itsSequence + " is beyond the credit of " + credit);
        }
    }

    private void checkPages(ByteBuffer frame, int at, int count, int payload, PageBatch into)
            throws WireException {
        long first = regions.firstPage(into.region());
        long end = regions.endPage(into.region());
        int sum = 0;
        for (int i = 0; i < count; i++) {
            int entry = at + i * PageBatch.DIRECTORY_ENTRY_BYTES;
            long descriptor = frame.getLong(entry + PageBatchWriter.DESCRIPTOR);
            long page = PageBatch.pageOf(descriptor);
            int length = PageBatch.lengthOf(descriptor);
            if (page < first || page >= end) {
                throw violation("batch page " + i, page + " is outside region " + into.region());
            }
            int codec = PageBatch.codecOf(descriptor);
            if (codec == 0 || length > PageGeometry.PAGE_SIZE && codec != ZSTD) {
                throw violation("batch page " + i, length + " bytes of codec " + codec);
            }
            int reference = frame.getInt(entry + PageBatchWriter.REFERENCE);
            if (reference != 0 && codec != DELTA) {
                throw violation("batch page " + i, "a reference of codec " + codec);
            }
            into.setEntry(i, descriptor, frame.getInt(entry + PageBatchWriter.CHECKSUM),
                    reference);
            sum += length;
        }
        if (sum != payload) {
            throw violation("batch payload bytes", payload + ", the lengths add up to " + sum);
        }
    }
}
