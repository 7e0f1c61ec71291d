package io.pageferry.agent.capture.frame;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The types of frames; PROTOCOL.md §7, with the longest bodies that follow from its fields. */
public enum FrameType {
    /** Its fields are those of {@link Offer}. */
    HELLO(0x01, new Bytes(52, 1_572_864), From.SOURCE, On.CONTROL, ""),
    /** Yes. */
    WELCOME(0x02, new Bytes(40, 40), From.TARGET, On.CONTROL,
            "token:uuid generation:count:1 features:bits channels:u16:1:64"
            + " window:u16:1:256 _:zero:4"),
    /** First of a data connection. */
    CHANNEL_HELLO(0x03, new Bytes(32, 32), From.SOURCE, On.DATA,
            "token:uuid generation:count:1 channel:u16:0:63 _:zero:2 role:u8:2:2 _:zero:3"),
    /** Its answer. */
    CHANNEL_READY(0x04, new Bytes(16, 16), From.TARGET, On.DATA,
            "generation:count:1 channel:u16:0:63 _:zero:6"),
    /** Goes on over another connection. */
    RESUME(0x05, new Bytes(48, 48), From.SOURCE, On.CONTROL,
            "migration:uuid token:uuid generation:count:1 epoch:count"),
    /** Pages; §8. */
    BATCH(0x10, new Bytes(56, 540_712), From.SOURCE, On.DATA, ""),
    /** Applied, and room for more. */
    ACK(0x11, new Bytes(32, 32), From.TARGET, On.DATA,
            "generation:count:1 applied:count credit:count channel:u16:0:63 _:zero:2"
            + " waiting:u16:0:256 _:zero:2"),
    /** The barrier. */
    ROUND_END(0x12, new Bytes(24, 16 + 8 * 64), From.SOURCE, On.CONTROL,
            "round:count channels:u16:1:64 _:zero:6 sequences:counts*channels"),
    /** Passed. */
    ROUND_APPLIED(0x13, new Bytes(8, 8), From.TARGET, On.CONTROL, "round:count"),
    /** Read back. */
    ROUND_VERIFIED(0x14, new Bytes(8, 8), From.TARGET, On.CONTROL, "round:count"),
    /** To be sent again. */
    PAGES_OWED(0x15, new Bytes(16, 8 + 8 * 4096), From.TARGET, On.CONTROL,
            "count:u32:1:4096 _:zero:4 pages:counts*count"),
    /** The guest is being paused. */
    SWITCHOVER(0x20, new Bytes(8, 8), From.SOURCE, On.CONTROL, "epoch:count"),
    /** Device state. */
    STATE_CHUNK(0x21, new Bytes(25, 24 + 262_144), From.SOURCE, On.CONTROL,
            "epoch:count offset:count length:u32:1:262144 _:zero:4 data:bytes*length"),
    /** All was sent. */
    COMPLETE(0x22, new Bytes(48, 40 + 8 * 64), From.SOURCE, On.CONTROL,
            "epoch:count digest:bits left:count length:count crc:u32 channels:u16:1:64"
            + " kind:u8:1:1 per:u8:0:0 sequences:counts*channels"),
    /** Proved, loaded, paused. */
    READY(0x23, new Bytes(32, 32), From.TARGET, On.CONTROL,
            "epoch:count digest:bits walk:count load:count"),
    /** Another image than was sent. */
    MISMATCH(0x24, new Bytes(32, 32 + 8 * 1024), From.TARGET, On.CONTROL,
            "epoch:count digest:bits per:count:1 blocks:u32:1:1024 _:zero:4"
            + " digests:longs*blocks"),
    /** Asks which pages. */
    PAGE_CHECKSUMS_REQUEST(0x25, new Bytes(16, 16), From.SOURCE, On.CONTROL,
            "first:count count:u32:1:65536 kind:u8:1:1 per:u8:0:0 _:zero:2"),
    /** Its answer. */
    PAGE_CHECKSUMS(0x26, new Bytes(20, 16 + 4 * 65_536), From.TARGET, On.CONTROL,
            "first:count count:u32:1:65536 kind:u8:1:1 per:u8:0:0 _:zero:2"
            + " crcs:words*count"),
    /** The target owns the guest. */
    GRANT(0x27, new Bytes(16, 16), From.SOURCE, On.CONTROL, "epoch:count run:u8:0:1 _:zero:7"),
    /** It runs there. */
    RUNNING(0x28, new Bytes(16, 16), From.TARGET, On.CONTROL, "epoch:count resume:count"),
    /** It never will. */
    REFUSED(0x29, new Bytes(10, 10 + 1024), From.TARGET, On.CONTROL,
            "epoch:count reason:text:1024"),
    /** It was granted and never ran. */
    RETURNED(0x2A, new Bytes(10, 10 + 1024), From.TARGET, On.CONTROL,
            "epoch:count reason:text:1024"),
    /** It is over. */
    CANCEL(0x30, new Bytes(12, 12 + 1024), null, On.CONTROL,
            "epoch:count code:u16:1 reason:text:1024"),
    /** Asks what became of it. */
    STATUS(0x31, new Bytes(24, 24), From.SOURCE, On.CONTROL, "migration:uuid epoch:count"),
    /** That is not known. */
    STATUS_UNKNOWN(0x32, new Bytes(10, 10 + 1024), From.TARGET, On.CONTROL,
            "epoch:count reason:text:1024"),
    /** No more questions. */
    FAREWELL(0x33, new Bytes(24, 24), From.SOURCE, On.CONTROL,
            "epoch:count total:count downtime:count"),
    /** So much of a stream may come. */
    STREAM_CREDIT(0x38, new Bytes(16, 16), null, On.CONTROL,
            "stream:u16:0:63 _:zero:6 bytes:count:1"),
    /** Bytes of a disk. */
    STREAM_DATA(0x39, new Bytes(9, 32_776), null, On.CONTROL,
            "stream:u16:0:63 _:zero:2 length:u32:1:32768 data:bytes*length"),
    /** No more of them. */
    STREAM_END(0x3A, new Bytes(8, 8), null, On.CONTROL, "stream:u16:0:63 _:zero:6"),
    /** Its sender lives. */
    HEARTBEAT(0x40, new Bytes(8, 8), null, On.ANY, "nanos:bits"),
    /** Its sender ends the connection. */
    FAILURE(0x41, new Bytes(4, 4 + 1024), null, On.ANY, "code:u16:1 reason:text:1024"),
    /** What a proof is made over. */
    CHALLENGE(0x8000_0042, new Bytes(32, 32), null, On.ANY, "a:bits b:bits c:bits d:bits"),
    /** Its sender knows the secret. */
    PROOF(0x8000_0043, new Bytes(32, 32), null, On.ANY, "a:bits b:bits c:bits d:bits"),
    /** How its sender reaches the memory. */
    MEMORY_ACCESS(0x8000_0044, new Bytes(3, 2 + 32), null, On.CONTROL, "way:text:32");

    /** Who opens connections, and who accepts them. */
    public enum From {
        /** The source. */
        SOURCE,
        /** The target. */
        TARGET
    }

    /** What a connection is for. */
    public enum On {
        /** Messages. */
        CONTROL,
        /** Pages. */
        DATA,
        /** Either. */
        ANY
    }

    /** How long a body may be. */
    private record Bytes(int shortest, int longest) { }

    private static final Map<Integer, FrameType> BY_NUMBER = Stream.of(values())
            .collect(Collectors.toMap(one -> one.number, Function.identity()));

    private final int number;
    private final Bytes bytes;
    private final From from;
    private final On place;
    private final Schema schema;

    FrameType(int number, Bytes bytes, From from, On place, String schema) {
        this.number = number;
        this.bytes = bytes;
        this.from = from;
        this.place = place;
        this.schema = new Schema(schema);
    }

    static FrameType of(int number) {
        return BY_NUMBER.get(number);
    }

    int shortest() {
        return bytes.shortest;
    }

    int longest() {
        return bytes.longest;
    }

    /**
     * Returns whether a side may send it.
     *
     * @param side which side
     * @return whether it may
     */
    public boolean isFrom(From side) {
        return from == null || from == side;
    }

    /** {@return the connections that it belongs on} */
    public On place() {
        return place;
    }

    /**
     * Reads the fields of a message that is neither HELLO nor BATCH.
     *
     * @param body from position to limit
     * @return its fields
     * @throws Breach where one does not hold
     */
    public Values read(ByteBuffer body) throws Breach {
        return schema.read(body);
    }
}
