package io.pageferry.agent.capture.check;

import static io.pageferry.agent.capture.check.Tape.body;
import static io.pageferry.agent.capture.check.Tape.like;

import io.pageferry.agent.capture.check.Tape.Piece;
import io.pageferry.agent.capture.frame.Rule;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Samples of what batches, acknowledgements and barriers may break. */
final class PageSamples {
    private static final long BACKLOG = 1L << 2;
    private static final int HEADER = 40;
    private static final int ROUND_APPLIED = 0x13;
    private static final int ROUND_VERIFIED = 0x14;
    private static final int PAGES_OWED = 0x15;

    private PageSamples() {
    }

    static void addTo(Map<Rule, Consumer<Tape>> samples) {
        headers(samples);
        entries(samples);
        payloads(samples);
        features(samples);
        acknowledgements(samples);
        barriers(samples);
    }

    private static void batch(Tape tape, Consumer<ByteBuffer> bend) {
        bend.accept(tape.first(FrameSamples.BATCH).body());
    }

    private static void headers(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.BATCH_EARLY, tape -> {
            int connection = tape.first(FrameSamples.BATCH).connection;
            tape.remove(tape.piece(one -> one.type() == FrameSamples.CHANNEL_READY
                    && one.connection == connection));
        });
        samples.put(Rule.BATCH_LENGTHS, tape -> batch(tape, body -> body.putShort(30,
                (short) (body.getShort(30) + 1))));
        samples.put(Rule.BATCH_RESERVED, tape -> batch(tape, body -> body.putInt(36, 1)));
        samples.put(Rule.BATCH_REFERENCE, tape -> batch(tape, body -> body.putInt(HEADER + 12, 1)));
        samples.put(Rule.BATCH_GENERATION, tape -> batch(tape, body -> body.putLong(0, 7)));
        samples.put(Rule.BATCH_CHANNEL, tape -> batch(tape, body -> body.putShort(28,
                (short) (1 - body.getShort(28)))));
        samples.put(Rule.BATCH_SEQUENCE, tape -> batch(tape, body -> body.putLong(8, 2)));
        samples.put(Rule.BATCH_CREDIT, tape -> {
            tape.all(FrameSamples.ACK).forEach(tape::remove);
            tape.all(FrameSamples.WELCOME).forEach(one -> one.body().putShort(34, (short) 1));
        });
        samples.put(Rule.BATCH_REGION, tape -> batch(tape, body -> body.putInt(24, 2)));
    }

    private static void entries(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.PAGE_INDEX, tape -> batch(tape, body -> body.putInt(HEADER, 1 << 20)));
        samples.put(Rule.PAGE_LENGTH, tape -> batch(tape, body -> body.putShort(HEADER + 5,
                (short) 4097)));
        samples.put(Rule.CODEC_ZERO, tape -> batch(tape, body -> body.put(HEADER + 7, (byte) 0)));
        samples.put(Rule.BATCH_SUM, tape -> {
            grow(tape);
            batch(tape, body -> body.putInt(32, body.getInt(32) + 1));
        });
        samples.put(Rule.CODEC_UNKNOWN, tape -> batch(tape, body -> body.put(HEADER + 7,
                (byte) 5)));
        samples.put(Rule.CODEC_LENGTH, tape -> page(tape, new Page(2, new byte[4095])));
    }

    private static void grow(Tape tape) {
        Piece batch = tape.first(FrameSamples.BATCH);
        batch.with(Tape.join(batch.bodyBytes(), new byte[1]));
    }

    private static void payloads(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.PAGE_BLOCK, tape -> page(tape, new Page(3, new byte[] {0x10, 7})));
        samples.put(Rule.PAGE_CHECKSUM, tape -> batch(tape, body -> body.put(HEADER + 8,
                (byte) (body.get(HEADER + 8) ^ 1))));
        samples.put(Rule.PAGE_ZEROS, tape -> page(tape, new Page(2, new byte[4096])));
        samples.put(Rule.PAGE_TWICE, tape -> {
            Page some = new Page(2, new byte[4096]);
            some.bytes[5] = 1;
            page(tape, some, some);
        });
    }

    /** One of a codec that the session has not; then of one that all of it has. */
    private static void features(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.CODEC_FEATURE, tape -> {
            features(tape, 0);
            page(tape, new Page(6, new byte[] {1}));
        });
        samples.put(Rule.BLOCK_SHAPE, tape -> {
            features(tape, 1);
            page(tape, new Page(6, new byte[0]));
        });
        samples.put(Rule.DELTA_BASE, tape -> {
            features(tape, 2);
            page(tape, new Page(4, new byte[] {0x10, 7}));
        });
    }

    /** Makes it a session of these; its acknowledgements say what waits all the same. */
    static void features(Tape tape, long bits) {
        tape.all(FrameSamples.HELLO).forEach(one -> one.body().putLong(24, bits | BACKLOG));
        tape.all(FrameSamples.WELCOME).forEach(one -> one.body().putLong(24, bits | BACKLOG));
    }

    private record Page(int codec, byte[] bytes) { }

    /** Has the first batch carry one page of its own, once or oftener. */
    private static void page(Tape tape, Page... pages) {
        Piece batch = tape.first(FrameSamples.BATCH);
        ByteBuffer before = batch.body();
        List<byte[]> parts = new ArrayList<>();
        int payload = 0;
        for (Page page : pages) {
            ByteBuffer entry = body(16).putLong(0, before.getLong(HEADER) & 0xFF_FFFF_FFFFL)
                    .putShort(5, (short) page.bytes.length).put(7, (byte) page.codec)
                    .putInt(8, Tape.crc(page.bytes, 0, page.bytes.length));
            parts.add(entry.array());
            payload += page.bytes.length;
        }
        for (Page page : pages) {
            parts.add(page.bytes);
        }
        ByteBuffer header = body(HEADER).put(batch.bodyBytes(), 0, HEADER);
        header.putShort(30, (short) pages.length).putInt(32, payload);
        parts.addFirst(header.array());
        batch.with(Tape.join(parts.toArray(byte[][]::new)));
    }

    private static void acknowledgements(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.ACK_CHANNEL, tape -> tape.first(FrameSamples.ACK).body().putLong(0, 7));
        samples.put(Rule.ACK_BACK, tape -> {
            Piece ack = tape.first(FrameSamples.ACK);
            Piece back = ack.copy();
            back.body().putLong(16, back.body().getLong(16) - 1);
            tape.after(ack, back);
        });
        samples.put(Rule.ACK_BEYOND, tape -> {
            ByteBuffer ack = tape.first(FrameSamples.ACK).body();
            ack.putLong(16, ack.getLong(16) - ack.getLong(8) + 5000).putLong(8, 5000);
        });
        samples.put(Rule.ACK_WAITING, tape -> tape.first(FrameSamples.ACK).body()
                .putShort(28, (short) 200));
        samples.put(Rule.ACK_CREDIT, tape -> {
            ByteBuffer ack = tape.first(FrameSamples.ACK).body();
            ack.putLong(16, ack.getLong(16) + 1);
        });
    }

    /** Batches behind the RESUME. */
    private static List<Piece> later(Tape tape) {
        return tape.all(FrameSamples.BATCH).stream().filter(one -> one.body().getLong(0) == 2)
                .toList();
    }

    private static void barriers(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.ROUND_ORDER, tape -> later(tape).get(1).body().putLong(16, 77));
        samples.put(Rule.ROUND_USED, tape -> later(tape).getFirst().body().putLong(16, 0));
        samples.put(Rule.ROUND_END_TURN, tape -> {
            Piece end = tape.first(FrameSamples.ROUND_END);
            Piece next = end.copy();
            next.body().putLong(0, 77);
            tape.after(end, next);
        });
        samples.put(Rule.ROUND_END_CHANNELS, tape -> tape.first(FrameSamples.ROUND_END)
                .with(body(24).putShort(8, (short) 1).array()));
        samples.put(Rule.ROUND_END_SEQUENCES, tape -> {
            // One that was answered: the link is cut, and that may be behind a ROUND_END.
            long round = tape.first(ROUND_APPLIED).body().getLong(0);
            ByteBuffer end = tape.all(FrameSamples.ROUND_END).stream().map(Piece::body)
                    .filter(one -> one.getLong(0) == round).findFirst().orElseThrow();
            end.putLong(16, end.getLong(16) + 1);
        });
        samples.put(Rule.ROUND_APPLIED, tape -> tape.first(ROUND_APPLIED).body().putLong(0, 5));
        samples.put(Rule.ROUND_VERIFIED, tape -> tape.first(ROUND_VERIFIED).body()
                .putLong(0, 5000));
        samples.put(Rule.OWED_TURN, tape -> tape.after(tape.first(FrameSamples.WELCOME),
                like(tape.first(FrameSamples.WELCOME), false, PAGES_OWED,
                        body(16).putInt(0, 1))));
        samples.put(Rule.OWED_PAGE, tape -> tape.after(tape.first(FrameSamples.ROUND_END),
                like(tape.first(FrameSamples.ROUND_END), false, PAGES_OWED,
                        body(16).putInt(0, 1).putLong(8, 1 << 30))));
    }
}
