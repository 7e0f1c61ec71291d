package io.pageferry.transport.netty.link;

import io.pageferry.core.link.Message;
import io.pageferry.transport.wire.FrameHeader;
import io.pageferry.transport.wire.FrameVerifier;
import io.pageferry.transport.wire.MessageCodec;
import io.pageferry.transport.wire.Preamble;
import io.pageferry.transport.wire.WireException;
import io.pageferry.transport.wire.WireLimits;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A peer of plain sockets that does what it is told, right or wrong. */
final class RawPeer implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 20_000;

    final Socket socket;
    private final DataInputStream in;
    private final FrameHeader.Sealer sealer = new FrameHeader.Sealer();
    private final FrameVerifier verifier = new FrameVerifier();

    RawPeer(InetSocketAddress address) throws IOException {
        this(new Socket(address.getAddress(), address.getPort()));
    }

    RawPeer(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.setTcpNoDelay(true);
        this.in = new DataInputStream(socket.getInputStream());
    }

    RawPeer write(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        return this;
    }

    /** Introduces itself as a source and takes the answer. */
    RawPeer greet() throws IOException, WireException {
        write(Preamble.OURS.encode().array());
        readPreamble();
        return this;
    }

    Preamble readPreamble() throws IOException, WireException {
        return Preamble.decode(little(in.readNBytes(Preamble.BYTES)));
    }

    RawPeer send(Message message) throws IOException {
        return sendFrame(MessageCodec.encode(message));
    }

    RawPeer sendFrame(byte[] frame) throws IOException {
        sealer.seal(little(frame), 0);
        return write(frame);
    }

    /** Reads the next message that is no heartbeat; null at the end. */
    Message read() throws IOException, WireException {
        while (true) {
            byte[] header = in.readNBytes(WireLimits.FRAME_HEADER_BYTES);
            if (header.length == 0) {
                return null;
            }
            verifier.header(little(header), 0);
            byte[] body = in.readNBytes(verifier.bodyLength());
            verifier.body(little(body), 0);
            Message message = MessageCodec.decode(verifier.type(), little(body));
            if (!(message instanceof Message.Heartbeat)) {
                return message;
            }
        }
    }

    /** Reads to the end and says how many bytes came; a reset is an end too. */
    int drain() {
        int bytes = 0;
        try {
            while (in.read() >= 0) {
                bytes++;
            }
        } catch (IOException e) {
            if (e instanceof java.net.SocketTimeoutException) {
                throw new AssertionError("the connection was left open", e);
            }
        }
        return bytes;
    }

    private static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
