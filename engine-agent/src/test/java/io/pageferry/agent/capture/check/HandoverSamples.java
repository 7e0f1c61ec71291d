package io.pageferry.agent.capture.check;

import static io.pageferry.agent.capture.check.Tape.body;
import static io.pageferry.agent.capture.check.Tape.like;

import io.pageferry.agent.capture.Capture;
import io.pageferry.agent.capture.check.Tape.Piece;
import io.pageferry.agent.capture.frame.Rule;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.function.Consumer;

/** Samples of what the handover may break. */
final class HandoverSamples {
    private static final int ROUND_APPLIED = 0x13;
    private static final int ROUND_VERIFIED = 0x14;
    private static final int SWITCHOVER = 0x20;
    private static final int STATE_CHUNK = 0x21;
    private static final int COMPLETE = 0x22;
    private static final int READY = 0x23;
    private static final int MISMATCH = 0x24;
    private static final int REQUEST = 0x25;
    private static final int CHECKSUMS = 0x26;
    private static final int GRANT = 0x27;
    private static final int RUNNING = 0x28;
    private static final int REFUSED = 0x29;
    private static final int CANCEL = 0x30;
    private static final int STATUS = 0x31;
    private static final int STATUS_UNKNOWN = 0x32;

    /** Pages of the guest of {@link GoodMove}. */
    private static final int PAGES = 3000;

    private HandoverSamples() {
    }

    static void addTo(Map<Rule, Consumer<Tape>> samples) {
        state(samples);
        complete(samples);
        verdicts(samples);
        words(samples);
    }

    /** Adds to a number of a message. */
    private static Consumer<Tape> more(int type, int at) {
        return tape -> tape.first(type).body().putLong(at, tape.first(type).body().getLong(at) + 1);
    }

    private static void state(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.SWITCHOVER_EPOCH, more(SWITCHOVER, 0));
        samples.put(Rule.STATE_PLACE, more(STATE_CHUNK, 0));
        samples.put(Rule.STATE_OFFSET, more(STATE_CHUNK, 8));
    }

    private static void complete(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.COMPLETE_PLACE, more(COMPLETE, 0));
        samples.put(Rule.COMPLETE_DIGEST, more(COMPLETE, 8));
        samples.put(Rule.COMPLETE_LEFT, more(COMPLETE, 16));
        samples.put(Rule.COMPLETE_LENGTH, more(COMPLETE, 24));
        samples.put(Rule.COMPLETE_CHECKSUM, tape -> tape.first(COMPLETE).body().putInt(32, 77));
        samples.put(Rule.COMPLETE_SEQUENCES, more(COMPLETE, 40));
        samples.put(Rule.COMPLETE_BARRIER, tape -> tape.remove(tape.last(ROUND_APPLIED)));
        samples.put(Rule.AFTER_COMPLETE, tape -> tape.after(tape.first(COMPLETE),
                like(tape.first(COMPLETE), true, SWITCHOVER, body(8).putLong(0, 2))));
    }

    private static void verdicts(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.READY_PLACE, more(READY, 0));
        samples.put(Rule.READY_DIGEST, more(READY, 8));
        samples.put(Rule.MISMATCH_PLACE, tape -> tape.before(tape.first(COMPLETE),
                like(tape.first(COMPLETE), false, MISMATCH, mismatch(5, PAGES, 5))));
        samples.put(Rule.MISMATCH_EQUAL, tape -> {
            long digest = tape.first(COMPLETE).body().getLong(8);
            tape.after(tape.first(COMPLETE), like(tape.first(COMPLETE), false, MISMATCH,
                    mismatch(digest, PAGES, digest)));
        });
        samples.put(Rule.MISMATCH_BLOCKS, tape -> tape.after(tape.first(COMPLETE),
                like(tape.first(COMPLETE), false, MISMATCH, mismatch(5, PAGES - 1, 5))));
        samples.put(Rule.CHECKSUMS_PLACE, tape -> tape.after(tape.first(FrameSamples.ROUND_END),
                like(tape.first(FrameSamples.ROUND_END), true, REQUEST, checksums(0, 1, 0))));
        samples.put(Rule.CHECKSUMS_PAGES, tape -> mismatched(tape,
                like(tape.first(COMPLETE), true, REQUEST, checksums(PAGES - 1, 2, 0))));
        samples.put(Rule.CHECKSUMS_ANSWER, tape -> mismatched(tape,
                like(tape.first(COMPLETE), true, REQUEST, checksums(0, 2, 0)),
                like(tape.first(COMPLETE), false, CHECKSUMS, checksums(1, 2, 8))));
    }

    private static ByteBuffer mismatch(long digest, long per, long block) {
        return body(40).putLong(0, 1).putLong(8, digest).putLong(16, per).putInt(24, 1)
                .putLong(32, block);
    }

    private static ByteBuffer checksums(long first, int count, int bytes) {
        return body(16 + bytes).putLong(0, first).putInt(8, count).put(12, (byte) 1);
    }

    /** Has the target find another image, and goes on with what is given. */
    private static void mismatched(Tape tape, Piece... more) {
        removeAll(tape, ROUND_VERIFIED, READY, GRANT, RUNNING, STATUS, STATUS_UNKNOWN,
                FrameSamples.FAREWELL);
        Piece found = like(tape.first(COMPLETE), false, MISMATCH, mismatch(5, PAGES, 5));
        tape.after(tape.first(COMPLETE), found).after(found, more);
    }

    private static void words(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.GRANT_READY, tape -> tape.remove(tape.first(READY)));
        samples.put(Rule.AFTER_GRANT, tape -> tape.after(tape.first(GRANT),
                like(tape.first(GRANT), true, CANCEL, cancel())));
        samples.put(Rule.WORD_GRANTED, tape -> tape.remove(tape.first(GRANT)));
        samples.put(Rule.REFUSED_PLACE, tape -> tape.before(tape.first(COMPLETE),
                like(tape.first(COMPLETE), false, REFUSED, body(10).putLong(0, 1))));
        samples.put(Rule.WORD_ONCE, tape -> tape.after(tape.first(RUNNING),
                like(tape.first(RUNNING), false, REFUSED, body(10).putLong(0, 1))));
        samples.put(Rule.STATUS_EPOCH, tape -> tape.after(tape.first(GRANT),
                like(tape.first(GRANT), false, STATUS_UNKNOWN, body(10).putLong(0, 7))));
        samples.put(Rule.FAREWELL_PLACE, tape -> removeAll(tape, RUNNING));
    }

    /** On a busy host the source may have asked, and the target read back, behind that. */
    private static void removeAll(Tape tape, int... types) {
        for (int type : types) {
            tape.all(type).forEach(tape::remove);
        }
    }

    private static ByteBuffer cancel() {
        return body(12).putLong(0, 1).putShort(8, (short) 12);
    }

    static void goodMismatch(Tape tape) {
        mismatched(tape, like(tape.first(COMPLETE), true, REQUEST, checksums(PAGES - 2, 2, 0)),
                like(tape.first(COMPLETE), false, CHECKSUMS, checksums(PAGES - 2, 2, 8)),
                like(tape.first(COMPLETE), true, CANCEL, cancel()),
                like(tape.first(COMPLETE), false, CANCEL, cancel()));
    }

    static void goodCancel(Tape tape) {
        removeAll(tape, ROUND_VERIFIED, GRANT, RUNNING, STATUS, STATUS_UNKNOWN);
        // It was ready: what it answers is a refusal for ever.
        tape.after(tape.first(READY), like(tape.first(READY), true, CANCEL, cancel()),
                like(tape.first(READY), false, REFUSED, body(10).putLong(0, 1)));
    }

    /** Has the source ask over a connection of its own, and twice. */
    static void goodStatus(Tape tape) {
        Piece running = tape.first(RUNNING);
        int fresh = 77;
        Piece opened = new Piece(fresh, false, Capture.Kind.OPENED, new byte[0]);
        Piece hello = new Piece(fresh, true, null, tape.preamble(true).bytes.clone());
        Piece answer = new Piece(fresh, false, null, tape.preamble(false).bytes.clone());
        ByteBuffer asked = body(24).put(0, tape.first(FrameSamples.HELLO).bodyBytes(), 0, 16)
                .putLong(16, 1);
        tape.before(running, opened).before(running, hello).before(running, answer)
                .before(running, like(hello, true, STATUS, asked))
                .before(running, like(hello, false, STATUS_UNKNOWN, body(10).putLong(0, 1)))
                .before(running, like(hello, true, STATUS, asked));
        tape.after(running, like(hello, false, RUNNING, body(16).putLong(0, 1)),
                like(hello, true, FrameSamples.FAREWELL, body(24).putLong(0, 1)));
    }
}
