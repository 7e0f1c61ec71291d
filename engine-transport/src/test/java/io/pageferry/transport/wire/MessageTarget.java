package io.pageferry.transport.wire;

import static io.pageferry.transport.wire.WireTargets.require;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.testing.fuzz.FuzzTarget;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The frame of one type of message. What is taken is written again byte for byte as it came. */
final class MessageTarget implements FuzzTarget {
    private static final int BODY = WireLimits.FRAME_HEADER_BYTES;
    private static final int EXTENSIONS = BODY + 50;

    private final MessageType type;
    private final Seals seals = new Seals();
    private final FrameHeader.Sealer sealer = new FrameHeader.Sealer();

    MessageTarget(MessageType type) {
        this.type = type;
    }

    @Override
    public String name() {
        return "message-" + type.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @Override
    public String parser() {
        return "message";
    }

    @Override
    public List<Class<?>> parserClasses() {
        return List.of(MessageCodec.class, NegotiationCodec.class, HandoverCodec.class,
                Fields.Reader.class, ErrorCode.class);
    }

    @Override
    public boolean parses(String method) {
        return !method.startsWith("write") && !method.equals("encode");
    }

    @Override
    public Map<String, byte[]> seeds() {
        return Map.of("sample", Samples.frame(Samples.messages().get(type)));
    }

    @Override
    public void seal(byte[] bytes) {
        seals.message(bytes, type);
    }

    @Override
    public boolean take(int choice, byte[] bytes) {
        if (bytes.length < BODY) {
            return false;
        }
        Message message;
        try {
            message = Samples.receive(bytes);
        } catch (WireException e) {
            require(!e.field().isEmpty() && e.getMessage().startsWith(e.field()), e.toString());
            return false;
        }
        byte[] again = MessageCodec.encode(message);
        if (hasOneForm(bytes)) {
            require(Arrays.equals(bytes, BODY, bytes.length, again, BODY, again.length),
                    message + " is written otherwise");
        }
        sealer.seal(Samples.little(again), 0);
        byte[] third = MessageCodec.encode(decoded(again));
        require(Arrays.equals(again, BODY, again.length, third, BODY, third.length),
                message + " does not arrive again");
        return true;
    }

    /** Extensions that are skipped and codes that are not known are not written again. */
    private boolean hasOneForm(byte[] bytes) {
        return type != MessageType.CANCEL && type != MessageType.FAILURE
                && (type != MessageType.HELLO
                        || Samples.little(bytes).getShort(EXTENSIONS) == 0);
    }

    private Message decoded(byte[] frame) {
        ByteBuffer body = Samples.little(frame).position(BODY);
        try {
            return MessageCodec.decode(type, body);
        } catch (WireException e) {
            throw new AssertionError("what was taken is refused when it comes again", e);
        }
    }
}
