package io.pageferry.transport.wire;

import static io.pageferry.transport.wire.WireTargets.require;

import io.pageferry.core.testing.fuzz.FuzzTarget;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/** Frames one after another. Those that pass have sums that somebody computed. */
final class FrameTarget implements FuzzTarget {
    private static final int HEADER = WireLimits.FRAME_HEADER_BYTES;

    private final Seals seals = new Seals();
    private final CRC32C crc = new CRC32C();

    @Override
    public String name() {
        return "frame";
    }

    @Override
    public List<Class<?>> parserClasses() {
        return List.of(FrameVerifier.class, FrameHeader.class, MessageType.class);
    }

    @Override
    public boolean parses(String method) {
        return !List.of("begin", "seal").contains(method);
    }

    @Override
    public Map<String, byte[]> seeds() {
        FrameHeader.Sealer sealer = new FrameHeader.Sealer();
        ByteArrayOutputStream three = new ByteArrayOutputStream();
        for (MessageType type : List.of(MessageType.ACK, MessageType.HEARTBEAT,
                MessageType.FAILURE)) {
            byte[] frame = MessageCodec.encode(Samples.messages().get(type));
            sealer.seal(Samples.little(frame), 0);
            three.writeBytes(frame);
        }
        byte[] unknown = new byte[HEADER + 5];
        FrameHeader.begin(Samples.little(unknown), 0, FrameHeader.OPTIONAL | 0x77, 5);
        new FrameHeader.Sealer().seal(Samples.little(unknown), 0);
        return Map.of("three", three.toByteArray(), "optional", unknown,
                "batch", BatchTarget.zeros());
    }

    @Override
    public void seal(byte[] bytes) {
        seals.frames(bytes, 0);
    }

    @Override
    public boolean take(int choice, byte[] bytes) {
        FrameVerifier verifier = new FrameVerifier();
        ByteBuffer in = Samples.little(bytes);
        int at = 0;
        for (int number = 1; at + HEADER <= bytes.length; number++) {
            try {
                verifier.header(in, at);
                holds(verifier, in, at, number);
                if (verifier.bodyLength() > bytes.length - at - HEADER) {
                    return number > 1;
                }
                verifier.body(in, at + HEADER);
            } catch (WireException e) {
                return number > 1;
            }
            require(sum(bytes, at + HEADER, verifier.summedLength()) == in.getInt(at + 16),
                    "a wrong sum of a body was taken");
            at += HEADER + verifier.bodyLength();
        }
        return at > 0;
    }

    private void holds(FrameVerifier verifier, ByteBuffer in, int at, int number) {
        require(sum(in.array(), at, 28) == in.getInt(at + 28), "a wrong sum was taken");
        require(in.getLong(at + 8) == number, "a wrong number was taken");
        int type = in.getInt(at);
        require(verifier.type() == MessageType.of(type), "another type than is written there");
        require(type < 0 || verifier.type() != null, "an unknown type was taken");
        int longest = verifier.type() == null ? WireLimits.MAX_MESSAGE_BODY
                : verifier.type().longest();
        require(verifier.bodyLength() >= 0 && verifier.bodyLength() <= longest
                && verifier.summedLength() <= verifier.bodyLength(), "lengths beyond the limit");
    }

    private int sum(byte[] bytes, int from, int length) {
        crc.reset();
        crc.update(bytes, from, length);
        return (int) crc.getValue();
    }
}
