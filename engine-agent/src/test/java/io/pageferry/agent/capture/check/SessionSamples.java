package io.pageferry.agent.capture.check;

import static io.pageferry.agent.capture.check.Tape.body;
import static io.pageferry.agent.capture.check.Tape.like;
import static io.pageferry.agent.capture.check.Tape.little;

import io.pageferry.agent.capture.check.Tape.Piece;
import io.pageferry.agent.capture.frame.Rule;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Consumer;

/** Samples of what offers, answers, channels and streams may break. */
final class SessionSamples {
    private static final int CREDIT = 0x38;
    private static final int DATA = 0x39;
    private static final int END = 0x3A;
    private static final int SWITCHOVER = 0x20;

    private SessionSamples() {
    }

    static void addTo(Map<Rule, Consumer<Tape>> samples) {
        offers(samples);
        answers(samples);
        channels(samples);
        streams(samples);
    }

    private static void offers(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.REGION_SIZE, tape -> region(tape, 0, at -> at.putLong(8,
                at.getLong(8) + 1)));
        samples.put(Rule.REGION_KIND, tape -> region(tape, 0, at -> at.put(20, (byte) 3)));
        samples.put(Rule.REGION_GRANULE, tape -> region(tape, 0, at -> at.putInt(16, 4097)));
        samples.put(Rule.REGION_NAME, tape -> region(tape, 1, at -> at.put(25, (byte) '0')));
        samples.put(Rule.REGION_PAGES, tape -> region(tape, 1, at -> at.putLong(8, 1L << 62)));
        samples.put(Rule.ATTRIBUTE_ORDER, tape -> tail(tape, 2, 0,
                Tape.join(text("b"), text(""), text("a"), text(""))));
        samples.put(Rule.EXTENSION_ZERO, tape -> tail(tape, 0, 1, new byte[4]));
        samples.put(Rule.EXTENSION_UNKNOWN, tape -> tail(tape, 0, 1, new byte[] {1, 0, 0, 0}));
        samples.put(Rule.SLOT_NAME, tape -> tail(tape, 0, 1, slots("Web")));
        samples.put(Rule.SLOT_TWICE, tape -> tail(tape, 0, 2, slots("web-1", "web-1")));
        samples.put(Rule.DISK_SIZE, tape -> storage(tape, "1GiB"));
    }

    /** Bends the n-th region of HELLO: base, size, granule, kind, length of the name, name. */
    private static void region(Tape tape, int n, Consumer<ByteBuffer> bend) {
        ByteBuffer hello = tape.first(FrameSamples.HELLO).body();
        int at = regions(hello);
        for (int i = 0; i < n; i++) {
            at = behind(hello, at);
        }
        bend.accept(hello.position(at).slice().order(hello.order()));
    }

    private static int regions(ByteBuffer hello) {
        int name = 54 + hello.getShort(52);
        return name + 2 + hello.getShort(name);
    }

    private static int behind(ByteBuffer hello, int region) {
        return region + 22 + hello.get(region + 21);
    }

    /** Gives HELLO other attributes and extensions. */
    private static void tail(Tape tape, int attributes, int extensions, byte[] bytes) {
        Piece hello = tape.first(FrameSamples.HELLO);
        int end = regions(hello.body());
        for (int i = 0; i < hello.body().getInt(36); i++) {
            end = behind(hello.body(), end);
        }
        ByteBuffer all = body(end + bytes.length).put(hello.bodyBytes(), 0, end).put(bytes);
        all.putShort(48, (short) attributes).putShort(50, (short) extensions);
        hello.with(all.array());
    }

    private static byte[] slots(String... names) {
        ByteBuffer all = body(64);
        for (String name : names) {
            byte[] ascii = name.getBytes(StandardCharsets.US_ASCII);
            all.putShort((short) 0x8002).putShort((short) ascii.length).put(ascii);
        }
        byte[] bytes = new byte[all.position()];
        all.flip().get(bytes);
        return bytes;
    }

    private static byte[] text(String words) {
        byte[] utf8 = words.getBytes(StandardCharsets.UTF_8);
        return body(2 + utf8.length).putShort((short) utf8.length).put(utf8).array();
    }

    private static void answers(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.WELCOME_PLACE, tape -> tape.after(tape.first(FrameSamples.WELCOME),
                tape.first(FrameSamples.WELCOME).copy()));
        samples.put(Rule.WELCOME_GENERATION,
                tape -> tape.first(FrameSamples.WELCOME).body().putLong(16, 2));
        samples.put(Rule.WELCOME_FEATURES,
                tape -> tape.first(FrameSamples.WELCOME).body().putLong(24, 1));
        samples.put(Rule.WELCOME_CHANNELS,
                tape -> tape.first(FrameSamples.HELLO).body().putShort(32, (short) 1));
        samples.put(Rule.WELCOME_SAME,
                tape -> tape.last(FrameSamples.WELCOME).body().putShort(32, (short) 1));
        samples.put(Rule.RESUME_TOKEN, tape -> tape.first(FrameSamples.RESUME).body()
                .put(20, (byte) 77));
        samples.put(Rule.RESUME_GENERATION,
                tape -> tape.first(FrameSamples.RESUME).body().putLong(32, 1));
        samples.put(Rule.RESUME_EPOCH, tape -> tape.after(tape.first(FrameSamples.WELCOME),
                like(tape.first(FrameSamples.WELCOME), true, SWITCHOVER, body(8).putLong(0, 1))));
    }

    private static void channels(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.CHANNEL_TOKEN, tape -> tape.first(FrameSamples.CHANNEL_HELLO).body()
                .put(3, (byte) 77));
        samples.put(Rule.CHANNEL_GENERATION,
                tape -> tape.first(FrameSamples.CHANNEL_HELLO).body().putLong(16, 9));
        samples.put(Rule.CHANNEL_NUMBER, tape -> tape.first(FrameSamples.CHANNEL_HELLO).body()
                .putShort(24, (short) 2));
        samples.put(Rule.CHANNEL_TWICE, tape -> tape.all(FrameSamples.CHANNEL_HELLO).get(1).body()
                .putShort(24, tape.first(FrameSamples.CHANNEL_HELLO).body().getShort(24)));
        samples.put(Rule.CHANNEL_ANSWER, tape -> tape.first(FrameSamples.CHANNEL_READY).body()
                .putShort(8, (short) 9));
    }

    private static void streams(Map<Rule, Consumer<Tape>> samples) {
        samples.put(Rule.STREAM_FEATURE, tape -> say(tape, true, CREDIT, number(0, 100)));
        samples.put(Rule.STREAM_NUMBER, tape -> {
            storage(tape, "4096");
            say(tape, true, CREDIT, number(1, 100));
        });
        samples.put(Rule.STREAM_OPENING, tape -> {
            storage(tape, "4096");
            say(tape, false, CREDIT, number(0, 100));
        });
        samples.put(Rule.STREAM_CREDIT, tape -> {
            storage(tape, "4096");
            say(tape, true, CREDIT, number(0, 100));
            say(tape, false, DATA, bytes(101));
        });
        samples.put(Rule.STREAM_CREDIT_BACK, tape -> {
            storage(tape, "4096");
            say(tape, true, CREDIT, number(0, 100));
            say(tape, true, CREDIT, number(0, 99));
        });
        samples.put(Rule.STREAM_AHEAD, tape -> {
            storage(tape, "4096");
            say(tape, true, CREDIT, number(0, 524_289));
        });
        samples.put(Rule.STREAM_ENDED, tape -> {
            goodStreams(tape);
            say(tape, true, DATA, bytes(1));
        });
    }

    static void goodStreams(Tape tape) {
        storage(tape, "4096");
        say(tape, true, CREDIT, number(0, 524_288));
        say(tape, false, CREDIT, number(0, 100));
        say(tape, false, DATA, bytes(77));
        say(tape, true, CREDIT, number(0, 524_288 + 77));
        say(tape, true, DATA, bytes(100));
        say(tape, true, END, body(8));
        say(tape, false, END, body(8));
    }

    /** Makes it a session whose one disk is copied. */
    private static void storage(Tape tape, String size) {
        tail(tape, 1, 0, Tape.join(text("storage.a"), text(size)));
        PageSamples.features(tape, 1L << 32);
    }

    /** Puts a message before the first barrier. */
    private static void say(Tape tape, boolean fromSource, int type, ByteBuffer body) {
        Piece end = tape.first(FrameSamples.ROUND_END);
        tape.before(end, like(end, fromSource, type, body));
    }

    private static ByteBuffer number(int stream, long bytes) {
        return little(new byte[16]).putShort(0, (short) stream).putLong(8, bytes);
    }

    private static ByteBuffer bytes(int count) {
        return body(8 + count).putInt(4, count);
    }
}
