package io.pageferry.transport.wire;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import java.nio.ByteBuffer;

/** Turns messages into frames and bodies into messages; docs/PROTOCOL.md §7. Any thread. */
public final class MessageCodec {
    private MessageCodec() {
    }

    /**
     * Encodes a message.
     *
     * @param message what to send
     * @return a fresh frame: header with type and length, to be sealed by
     *         {@link FrameHeader.Sealer}, and body
     * @throws IllegalArgumentException when a field is beyond its limit; names it
     */
    public static byte[] encode(Message message) {
        Fields.Writer out = new Fields.Writer();
        if (message instanceof Message.Streamed streamed) {
            return out.frame(writeStream(streamed, out));
        }
        MessageType type = NegotiationCodec.write(message, out);
        if (type == null) {
            type = HandoverCodec.write(message, out);
        }
        if (type == null) {
            type = writeRest(message, out);
        }
        return out.frame(type);
    }

    private static MessageType writeStream(Message.Streamed message, Fields.Writer out) {
        out.u16("stream", message.stream(), 0, Message.MAX_STREAMS - 1);
        return switch (message) {
            case Message.StreamCredit credit -> {
                out.reserved(6).count("up to", credit.upTo(), 1);
                yield MessageType.STREAM_CREDIT;
            }
            case Message.StreamData data -> {
                out.reserved(2).u32("length", data.bytes().length, 1, Message.MAX_STREAM_BYTES)
                        .bytes(data.bytes());
                yield MessageType.STREAM_DATA;
            }
            case Message.StreamEnd _ -> {
                out.reserved(6);
                yield MessageType.STREAM_END;
            }
        };
    }

    private static Message readStream(MessageType type, Fields.Reader in) throws WireException {
        int stream = in.u16("stream", 0, Message.MAX_STREAMS - 1);
        if (type == MessageType.STREAM_DATA) {
            in.reserved(2);
            int length = (int) in.u32("length", 1, Message.MAX_STREAM_BYTES);
            return new Message.StreamData(stream, in.bytes("bytes", length));
        }
        in.reserved(6);
        return type == MessageType.STREAM_END ? new Message.StreamEnd(stream)
                : new Message.StreamCredit(stream, in.count("up to", 1));
    }

    private static MessageType writeRest(Message message, Fields.Writer out) {
        switch (message) {
            case Message.Ack ack -> {
                out.count("generation", ack.generation(), 1).count("applied", ack.applied(), 0)
                        .count("credit", ack.credit(), 0);
                NegotiationCodec.writeChannel(ack.channel(), out)
                        .u16("waiting", ack.waiting(), 0, WireLimits.MAX_WINDOW).reserved(2);
                return MessageType.ACK;
            }
            case Message.RoundEnd end -> {
                int channels = end.lastSequences().length;
                out.count("round", end.round(), 0)
                        .u16("channels", channels, 1, Message.MAX_CHANNELS).reserved(6)
                        .counts("last sequence", end.lastSequences());
                return MessageType.ROUND_END;
            }
            case Message.RoundApplied applied -> {
                out.count("round", applied.round(), 0);
                return MessageType.ROUND_APPLIED;
            }
            case Message.RoundVerified walked -> {
                out.count("round", walked.round(), 0);
                return MessageType.ROUND_VERIFIED;
            }
            case Message.PagesOwed owed -> {
                out.u32("pages", owed.pages().length, 1, Message.MAX_OWED_PAGES).reserved(4)
                        .counts("page", owed.pages());
                return MessageType.PAGES_OWED;
            }
            case Message.Heartbeat beat -> {
                out.bits(beat.nanos());
                return MessageType.HEARTBEAT;
            }
            case Message.Failure failure -> {
                writeCode(failure.code(), out);
                out.reason(failure.reason(), Message.MAX_REASON_BYTES);
                return MessageType.FAILURE;
            }
            case Message.Proving proving -> {
                if (proving.bytes().length != Message.Proving.BYTES) {
                    throw new IllegalArgumentException("bytes: " + proving.bytes().length);
                }
                out.bytes(proving.bytes());
                return proving instanceof Message.Proof ? MessageType.PROOF
                        : MessageType.CHALLENGE;
            }
            case Message.MemoryAccess access -> {
                if (access.way().isEmpty()) {
                    throw new IllegalArgumentException("way: empty");
                }
                out.reason(access.way(), Message.MemoryAccess.MAX_BYTES);
                return MessageType.MEMORY_ACCESS;
            }
            default -> throw new IllegalArgumentException("no layout for " + message.getClass());
        }
    }

    /**
     * Decodes a body whose frame was verified.
     *
     * @param type as in the frame's header; not {@link MessageType#BATCH}
     * @param body position to limit, exactly
     * @return the message, within its limits
     * @throws WireException when a field does not hold
     */
    public static Message decode(MessageType type, ByteBuffer body) throws WireException {
        Fields.Reader in = new Fields.Reader(body);
        Message message = switch (type) {
            case HELLO, WELCOME, CHANNEL_HELLO, CHANNEL_READY, RESUME, STATUS, STATUS_UNKNOWN ->
                    NegotiationCodec.read(type, in);
            case ACK, ROUND_END, ROUND_APPLIED, ROUND_VERIFIED, PAGES_OWED, HEARTBEAT,
                    FAILURE, CHALLENGE, PROOF, MEMORY_ACCESS -> readRest(type, in);
            case STREAM_CREDIT, STREAM_DATA, STREAM_END -> readStream(type, in);
            default -> HandoverCodec.read(type, in);
        };
        in.end();
        return message;
    }

    private static Message readRest(MessageType type, Fields.Reader in) throws WireException {
        return switch (type) {
            case ACK -> readAck(in);
            case ROUND_END -> {
                long round = in.count("round", 0);
                int channels = in.u16("channels", 1, Message.MAX_CHANNELS);
                in.reserved(6);
                yield new Message.RoundEnd(round, in.counts("last sequence", channels));
            }
            case ROUND_APPLIED -> new Message.RoundApplied(in.count("round", 0));
            case ROUND_VERIFIED -> new Message.RoundVerified(in.count("round", 0));
            case PAGES_OWED -> {
                int pages = (int) in.u32("pages", 1, Message.MAX_OWED_PAGES);
                in.reserved(4);
                yield new Message.PagesOwed(in.counts("page", pages));
            }
            case HEARTBEAT -> new Message.Heartbeat(in.bits("nanos"));
            case CHALLENGE -> new Message.Challenge(in.bytes("bytes", Message.Proving.BYTES));
            case PROOF -> new Message.Proof(in.bytes("bytes", Message.Proving.BYTES));
            case MEMORY_ACCESS -> new Message.MemoryAccess(
                    in.string("way", 1, Message.MemoryAccess.MAX_BYTES));
            default -> new Message.Failure(readCode(in), readReason(in));
        };
    }

    private static Message readAck(Fields.Reader in) throws WireException {
        long generation = in.count("generation", 1);
        long applied = in.count("applied", 0);
        long credit = in.count("credit", 0);
        int channel = NegotiationCodec.readChannel(in);
        int waiting = in.u16("waiting", 0, WireLimits.MAX_WINDOW);
        in.reserved(2);
        return new Message.Ack(generation, channel, applied, credit, waiting);
    }

    static void writeCode(ErrorCode code, Fields.Writer out) {
        out.u16("code", code.code(), 1, 0xffff);
    }

    static ErrorCode readCode(Fields.Reader in) throws WireException {
        return ErrorCode.of(in.u16("code", 1, 0xffff));
    }

    static String readReason(Fields.Reader in) throws WireException {
        return in.string("reason", 0, Message.MAX_REASON_BYTES);
    }
}
