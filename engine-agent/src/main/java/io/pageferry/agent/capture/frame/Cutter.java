package io.pageferry.agent.capture.frame;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Cuts what one side sent on one connection into preamble and frames, and checks their headers and
 * sums. After a breach nothing more can be cut.
 */
public final class Cutter {
    private static final int HEADER = 32;
    private static final int OPTIONAL = 1 << 31;

    /** Longest body of a type that is not known; PROTOCOL.md §11. */
    private static final int LONGEST = 1_572_864;

    /** Is given what was cut. */
    public interface Receiver {
        /**
         * Takes the preamble.
         *
         * @param preamble that holds
         * @throws Breach where it does not fit
         */
        void preamble(Preamble preamble) throws Breach;

        /**
         * Takes a frame.
         *
         * @param frame whose header and sums hold
         * @throws Breach where it does not fit
         */
        void frame(Frame frame) throws Breach;
    }

    private final Receiver receiver;
    private ByteBuffer part = little(4096);
    private boolean opened;
    private long offset;
    private long number;

    /**
     * Makes one for the first byte of a direction.
     *
     * @param receiver of what is cut
     */
    public Cutter(Receiver receiver) {
        this.receiver = receiver;
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** {@return where the preamble or frame begins that is being cut} */
    public long offset() {
        return offset;
    }

    /** {@return frames that were cut, and were whole} */
    public long frames() {
        return number;
    }

    /**
     * Takes bytes, and delivers what is whole.
     *
     * @param bytes from position to limit, which are moved
     * @throws Breach where something does not hold
     */
    public void take(ByteBuffer bytes) throws Breach {
        while (bytes.hasRemaining()) {
            int whole = wanted();
            int some = Math.min(bytes.remaining(), whole - part.position());
            room(whole);
            part.put(part.position(), bytes, bytes.position(), some);
            part.position(part.position() + some);
            bytes.position(bytes.position() + some);
            if (!opened) {
                Preamble.checkMagic(part, part.position());
            }
            if (part.position() == whole && whole == wanted()) {
                deliver(whole);
            }
        }
    }

    /** How many bytes from the offset on are needed; those of a body once its header is there. */
    private int wanted() throws Breach {
        if (!opened) {
            return Preamble.BYTES;
        }
        return part.position() < HEADER ? HEADER : HEADER + bodyLength();
    }

    private void room(int bytes) {
        if (part.capacity() < bytes) {
            part = little(Math.max(bytes, 2 * part.capacity())).put(part.flip());
        }
    }

    /** Checks the header, before anything of it is believed. */
    private int bodyLength() throws Breach {
        Breach.unless(part.getInt(28) == Crc.of(part, 0, 28), Rule.HEADER_CHECKSUM,
                "the header's checksum is not that of its bytes");
        Breach.unless(part.getInt(24) == 0, Rule.HEADER_RESERVED,
                "the header's reserved bytes are not 0");
        int type = part.getInt(0);
        Breach.unless(type != 0, Rule.TYPE_ZERO, "type 0");
        FrameType known = FrameType.of(type);
        Breach.unless(known != null || (type & OPTIONAL) != 0, Rule.TYPE_UNKNOWN,
                "type 0x" + Integer.toHexString(type) + " is not known and not optional");
        long claimed = part.getLong(8);
        Breach.unless(claimed == number + 1, Rule.FRAME_NUMBER, "frame "
                + Long.toUnsignedString(claimed) + " behind frame " + number);
        long length = Integer.toUnsignedLong(part.getInt(4));
        long least = known == null ? 0 : known.shortest();
        long most = known == null ? LONGEST : known.longest();
        Breach.unless(length >= least && length <= most, Rule.BODY_LENGTH, "the body of "
                + (known == null ? "an optional type" : known) + " has " + length
                + " bytes, not " + least + " to " + most);
        long summed = Integer.toUnsignedLong(part.getInt(20));
        Breach.unless(summed == length || known == FrameType.BATCH && summed < length,
                Rule.SUMMED_LENGTH, summed + " of " + length + " bytes are summed");
        return (int) length;
    }

    private void deliver(int whole) throws Breach {
        if (!opened) {
            Preamble preamble = Preamble.read(part);
            opened = true;
            receiver.preamble(preamble);
        } else {
            int summed = part.getInt(20);
            Breach.unless(part.getInt(16) == Crc.of(part, HEADER, summed), Rule.BODY_CHECKSUM,
                    "the body's checksum is not that of its bytes");
            number++;
            receiver.frame(new Frame(FrameType.of(part.getInt(0)), offset, summed,
                    part.slice(HEADER, whole - HEADER).order(ByteOrder.LITTLE_ENDIAN)));
        }
        offset += whole;
        part.clear();
    }
}
