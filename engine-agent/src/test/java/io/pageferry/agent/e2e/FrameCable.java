package io.pageferry.agent.e2e;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A cable between two agents that knows no more of the protocol than how long a frame is
 * (docs/PROTOCOL.md §6), and hands each to a subclass.
 */
abstract class FrameCable extends Cable {
    private static final int PREAMBLE = 16;
    private static final int HEADER = 32;

    FrameCable(String address) throws IOException {
        super(address);
    }

    /**
     * Carries one frame, or what it wants of it.
     *
     * @param type  of the frame
     * @param frame header and body
     * @param to    the other end
     */
    abstract void frame(int type, byte[] frame, OutputStream to) throws IOException;

    /**
     * Hears that no more frames come; then the other end is told so.
     *
     * @throws IOException where it is not to be told
     */
    void end(OutputStream to) throws IOException {
        // Nothing is hidden here.
    }

    @Override
    final void carry(InputStream from, OutputStream to, boolean fromSource) throws IOException {
        DataInputStream in = new DataInputStream(from);
        byte[] preamble = new byte[PREAMBLE];
        in.readFully(preamble);
        to.write(preamble);
        while (true) {
            byte[] header = new byte[HEADER];
            try {
                in.readFully(header);
            } catch (EOFException e) {
                end(to);
                return;
            }
            ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
            byte[] frame = new byte[HEADER + fields.getInt(4)];
            System.arraycopy(header, 0, frame, 0, HEADER);
            in.readFully(frame, HEADER, frame.length - HEADER);
            frame(fields.getInt(0), frame, to);
        }
    }
}
