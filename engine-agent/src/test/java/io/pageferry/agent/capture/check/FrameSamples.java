package io.pageferry.agent.capture.check;

import static io.pageferry.agent.capture.check.Tape.body;
import static io.pageferry.agent.capture.check.Tape.like;
import static io.pageferry.agent.capture.check.Tape.little;

import io.pageferry.agent.capture.check.Tape.Piece;
import io.pageferry.agent.capture.frame.Rule;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.function.Consumer;

/** Samples of what preambles, headers, fields and connections may break. */
final class FrameSamples {
    static final int HELLO = 0x01;
    static final int WELCOME = 0x02;
    static final int CHANNEL_HELLO = 0x03;
    static final int CHANNEL_READY = 0x04;
    static final int RESUME = 0x05;
    static final int BATCH = 0x10;
    static final int ACK = 0x11;
    static final int ROUND_END = 0x12;
    static final int FAREWELL = 0x33;
    static final int HEARTBEAT = 0x40;
    static final int FAILURE = 0x41;
    private static final int CHALLENGE = 0x8000_0042;
    private static final int PROOF = 0x8000_0043;

    /** Where the kind of a guest stands in HELLO, behind its length. */
    private static final int KIND = 54;

    private FrameSamples() {
    }

    static void addTo(Map<Rule, Consumer<Tape>> samples) {
        preambles(samples);
        headers(samples);
        fields(samples);
        connections(samples);
    }

    private static void preambles(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.PREAMBLE_MAGIC, tape -> tape.preamble(true).bytes[3] ^= 1);
        samples.put(Rule.PREAMBLE_CHECKSUM, tape -> tape.preamble(true).bytes[12] ^= 1);
        samples.put(Rule.PREAMBLE_RANGE, tape -> versions(tape.preamble(true), 2, 1));
        samples.put(Rule.PREAMBLE_ORDER, tape -> {
            Piece answer = tape.preamble(false);
            tape.remove(answer).before(tape.preamble(true), answer);
        });
        samples.put(Rule.VERSION, tape -> versions(tape.preamble(false), 2, 3));
    }

    private static void versions(Piece preamble, int lowest, int highest) {
        little(preamble.bytes).putShort(8, (short) lowest).putShort(10, (short) highest);
        little(preamble.bytes).putInt(12, Tape.crc(preamble.bytes, 0, 12));
    }

    private static void headers(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.HEADER_CHECKSUM, tape -> raw(tape, header -> header.put(28,
                (byte) (header.get(28) ^ 1)), false));
        samples.put(Rule.HEADER_RESERVED, tape -> raw(tape, header -> header.putInt(24, 1), true));
        samples.put(Rule.TYPE_ZERO, tape -> raw(tape, header -> header.putInt(0, 0), true));
        samples.put(Rule.TYPE_UNKNOWN, tape -> raw(tape, header -> header.putInt(0, 0x50), true));
        samples.put(Rule.FRAME_NUMBER, tape -> raw(tape, header -> header.putLong(8,
                header.getLong(8) + 1), true));
        samples.put(Rule.BODY_LENGTH, tape -> insert(tape, HEARTBEAT, body(9)));
        samples.put(Rule.SUMMED_LENGTH, tape -> raw(tape, header -> header.putInt(20,
                header.getInt(20) - 1).putInt(16, Tape.crc(header.array(), Tape.HEADER,
                header.getInt(20))), true));
        samples.put(Rule.BODY_CHECKSUM, tape -> raw(tape, header -> header.put(40, (byte) 1),
                true));
    }

    /** Bends the first barrier without making it right again, but for the header where told so. */
    private static void raw(Tape tape, Consumer<ByteBuffer> bend, boolean seal) {
        tape.seal();
        Piece end = tape.first(ROUND_END);
        end.raw = true;
        bend.accept(end.header());
        if (seal) {
            Tape.sealHeader(end.bytes);
        }
    }

    private static void fields(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.BODY_FIELDS, tape -> {
            Piece end = tape.first(ROUND_END);
            end.with(Tape.join(end.bodyBytes(), new byte[8]));
        });
        samples.put(Rule.NUMBER_RANGE, tape -> tape.first(ROUND_END).body().putLong(0, -1));
        samples.put(Rule.FIELD_RANGE, tape -> tape.first(ROUND_END).body().putShort(8, (short) 65));
        samples.put(Rule.FIELD_RESERVED, tape -> tape.first(ROUND_END).body().put(10, (byte) 1));
        samples.put(Rule.TEXT_LENGTH, tape -> {
            Piece hello = tape.first(HELLO);
            byte[] all = hello.bodyBytes();
            int kind = little(all).getShort(KIND - 2);
            ByteBuffer less = body(all.length - kind).put(all, 0, KIND - 2).putShort((short) 0)
                    .put(all, KIND + kind, all.length - KIND - kind);
            hello.with(less.array());
        });
        samples.put(Rule.TEXT_UTF8, tape -> tape.first(HELLO).body().put(KIND, (byte) 0xFF));
        samples.put(Rule.TEXT_CONTROL, tape -> tape.first(HELLO).body().put(KIND, (byte) 7));
    }

    private static void connections(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.FIRST_MESSAGE, tape -> tape.before(tape.first(HELLO),
                like(tape.first(HELLO), true, FAREWELL, body(24))));
        samples.put(Rule.FIRST_AGAIN, tape -> tape.after(tape.first(WELCOME),
                like(tape.first(HELLO), true, HELLO, little(tape.first(HELLO).bodyBytes()))));
        samples.put(Rule.MESSAGE_SIDE, tape -> insert(tape, 0x23, body(32)));
        samples.put(Rule.MESSAGE_PLACE, tape -> tape.after(tape.first(BATCH),
                like(tape.first(BATCH), true, ROUND_END, body(24).putShort(8, (short) 1))));
        samples.put(Rule.BEFORE_WELCOME, tape -> tape.after(tape.first(HELLO),
                like(tape.first(HELLO), true, 0x20, body(8).putLong(0, 1))));
        samples.put(Rule.AFTER_FAILURE, tape -> insert(tape, FAILURE,
                body(4).putShort(0, (short) 12)));
        samples.put(Rule.AFTER_CANCEL, tape -> insert(tape, 0x30,
                body(12).putShort(8, (short) 12)));
        samples.put(Rule.HEARTBEAT_CLOCK, tape -> {
            insert(tape, HEARTBEAT, body(8).putLong(0, 2));
            insert(tape, HEARTBEAT, body(8).putLong(0, 1));
        });
        samples.put(Rule.CHALLENGE_FIRST, tape -> insert(tape, CHALLENGE, body(32)));
        samples.put(Rule.PROOF_ORDER, tape -> tape.after(tape.preamble(false),
                proving(tape, true, CHALLENGE), proving(tape, true, PROOF)));
        samples.put(Rule.PROOF_MISSING, tape -> tape.after(tape.preamble(false),
                proving(tape, true, CHALLENGE)));
    }

    /** Belongs right behind the preambles: heartbeats may come before the first message. */
    private static Piece proving(Tape tape, boolean source, int type) {
        return like(tape.preamble(false), source, type, body(32));
    }

    /** Both sides prove their secret. */
    static void goodProofs(Tape tape) {
        tape.after(tape.preamble(false), proving(tape, false, CHALLENGE),
                proving(tape, true, CHALLENGE), proving(tape, true, PROOF),
                proving(tape, false, PROOF));
    }

    /** Puts a frame of the source before its first barrier. */
    static void insert(Tape tape, int type, ByteBuffer body) {
        Piece end = tape.first(ROUND_END);
        tape.before(end, like(end, true, type, body));
    }

    static void goodOptional(Tape tape) {
        insert(tape, 0x8000_0050, body(77));
        insert(tape, 0x8000_0051, body(0));
        insert(tape, HEARTBEAT, body(8).putLong(0, Long.MAX_VALUE));
        insert(tape, HEARTBEAT, body(8).putLong(0, Long.MIN_VALUE));
    }
}
