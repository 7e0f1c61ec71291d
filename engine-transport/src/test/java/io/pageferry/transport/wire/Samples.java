package io.pageferry.transport.wire;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/** One fixed message of each type, and what tests do with frames. */
final class Samples {
    static final UUID ID = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");
    static final RegionTable REGIONS = new RegionTable(List.of(
            new Region(0, "ram", 0, 1 << 20, 4096),
            new Region(1, Region.Kind.DISK, "höher", 1L << 32, 3 << 21, 1 << 21)));

    private Samples() {
    }

    static Map<MessageType, Message> messages() {
        Map<MessageType, Message> all = new LinkedHashMap<>();
        all.put(MessageType.HELLO, new Message.Hello(ID, 3, 0x8000_0000_0000_0001L, 2, 1,
                new GuestDescription("qemu", "gäst", REGIONS, 12288,
                        Map.of("machine", "q35", "cpus", "2")), ""));
        all.put(MessageType.WELCOME, new Message.Welcome(ID, 1, 5, 2, 16));
        all.put(MessageType.CHANNEL_HELLO, new Message.ChannelHello(ID, 2, 1));
        all.put(MessageType.CHANNEL_READY, new Message.ChannelReady(2, 1));
        all.put(MessageType.RESUME, new Message.Resume(ID, ID, 3, 6));
        all.put(MessageType.ACK, new Message.Ack(2, 1, 0x1122334455L, 0x1122334465L, 3));
        all.put(MessageType.ROUND_END, new Message.RoundEnd(4, new long[] {10, 11}));
        all.put(MessageType.ROUND_APPLIED, new Message.RoundApplied(4));
        all.put(MessageType.ROUND_VERIFIED, new Message.RoundVerified(5));
        all.put(MessageType.PAGES_OWED, new Message.PagesOwed(new long[] {3, 0x1122334455L}));
        all.put(MessageType.SWITCHOVER, new Message.Switchover(6));
        all.put(MessageType.STATE_CHUNK, new Message.StateChunk(6, 262144, new byte[] {1, 2, -1}));
        all.put(MessageType.COMPLETE, new Message.Complete(6, 0xfedcba9876543210L, 0,
                new long[] {12, 13}, new Message.StateSum(262147, 0xe3069283L)));
        all.put(MessageType.READY, new Message.Ready(6, 0xfedcba9876543210L, 1000, 2000));
        all.put(MessageType.MISMATCH, new Message.Mismatch(6, 1, 256, new long[] {-1, 7}));
        all.put(MessageType.PAGE_CHECKSUMS_REQUEST, new Message.PageChecksumsRequest(256, 3));
        all.put(MessageType.PAGE_CHECKSUMS, new Message.PageChecksums(256, new int[] {-1, 2, 3}));
        all.put(MessageType.GRANT, new Message.Grant(6, true));
        all.put(MessageType.RUNNING, new Message.Running(6, 3000));
        all.put(MessageType.REFUSED, new Message.Refused(6, "no grant within 10 s"));
        all.put(MessageType.RETURNED, new Message.Returned(6, "write lock"));
        all.put(MessageType.CANCEL, new Message.Cancel(6, ErrorCode.CANCELLED, "Ctrl-C"));
        all.put(MessageType.STATUS, new Message.Status(ID, 6));
        all.put(MessageType.STATUS_UNKNOWN, new Message.StatusUnknown(6, "no journal"));
        all.put(MessageType.FAREWELL, new Message.Farewell(6, 900_000_000, 61_000_000));
        all.put(MessageType.STREAM_CREDIT, new Message.StreamCredit(3, 0x1122334455L));
        all.put(MessageType.STREAM_DATA, new Message.StreamData(3, new byte[] {1, 2, -1}));
        all.put(MessageType.STREAM_END, new Message.StreamEnd(3));
        all.put(MessageType.HEARTBEAT, new Message.Heartbeat(-5));
        all.put(MessageType.FAILURE, new Message.Failure(ErrorCode.BUSY, "läuft"));
        byte[] bytes = new byte[Message.Proving.BYTES];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (7 * i - 3);
        }
        all.put(MessageType.CHALLENGE, new Message.Challenge(bytes));
        all.put(MessageType.PROOF, new Message.Proof(bytes));
        all.put(MessageType.MEMORY_ACCESS, new Message.MemoryAccess("file"));
        return all;
    }

    /** The first frame of a connection. */
    static byte[] frame(Message message) {
        byte[] frame = MessageCodec.encode(message);
        new FrameHeader.Sealer().seal(little(frame), 0);
        return frame;
    }

    static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Does with a connection's first frame what a receiver does. */
    static Message receive(byte[] frame) throws WireException {
        FrameVerifier verifier = new FrameVerifier();
        ByteBuffer buffer = little(frame);
        verifier.header(buffer, 0);
        if (verifier.bodyLength() != frame.length - WireLimits.FRAME_HEADER_BYTES) {
            throw WireException.violation("frame body length", "not what arrived");
        }
        verifier.body(buffer, WireLimits.FRAME_HEADER_BYTES);
        return MessageCodec.decode(verifier.type(),
                buffer.position(WireLimits.FRAME_HEADER_BYTES));
    }

    /** Equality that looks into arrays. */
    static boolean same(Object one, Object other) {
        if (!(one instanceof Record) || one.getClass() != other.getClass()) {
            return Objects.deepEquals(one, other);
        }
        try {
            for (RecordComponent part : one.getClass().getRecordComponents()) {
                if (!same(part.getAccessor().invoke(one), part.getAccessor().invoke(other))) {
                    return false;
                }
            }
            return true;
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }
}
