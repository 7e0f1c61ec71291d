package io.pageferry.transport.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Whatever is sent arrives, and whatever comes does no harm. */
class WirePropertyTest {
    @Provide
    Arbitrary<Message> messages() {
        return MessageArbitraries.any();
    }

    @Property(tries = 2000)
    void everyMessageArrivesAsItWasSent(@ForAll("messages") Message message) throws Exception {
        byte[] frame = Samples.frame(message);
        Message received = Samples.receive(frame);
        assertTrue(Samples.same(message, received), () -> message + " became " + received);
        MessageType type = MessageType.of(Samples.little(frame).getInt(0));
        int body = frame.length - WireLimits.FRAME_HEADER_BYTES;
        assertTrue(body >= type.shortest() && body <= type.longest(), type + ": " + body);
    }

    @Property(tries = 1000)
    void randomBodiesAreRefusedOrMeanThemselves(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        MessageType type =
                MessageType.values()[random.nextInt(MessageType.values().length)];
        byte[] body = new byte[random.nextInt(200)];
        random.nextBytes(body);
        for (int i = 0; i < body.length; i++) {
            // Mostly zero, or hardly anything would get beyond the first field.
            body[i] = random.nextInt(4) == 0 ? body[i] : 0;
        }
        try {
            Message message = MessageCodec.decode(type, Samples.little(body));
            byte[] again = MessageCodec.encode(message);
            assertEquals(body.length, again.length - WireLimits.FRAME_HEADER_BYTES);
        } catch (WireException e) {
            assertTrue(!e.field().isEmpty() && e.getMessage().startsWith(e.field()));
        }
    }

    @Property(tries = 200)
    void everyBatchArrivesAsItWasSent(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        BatchFrames sent = new BatchFrames();
        int region = random.nextInt(2);
        sent.batch.begin(region, random.nextLong() >>> 1);
        RegionTable regions = Samples.REGIONS;
        int wanted = 1 + random.nextInt(PageBatch.MAX_PAGES);
        int largest = random.nextInt(4097);
        while (sent.batch.count() < wanted && sent.batch.hasRoom()) {
            int length = random.nextInt(largest + 1);
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            sent.view.put(BatchFrames.PAYLOAD + sent.batch.payloadBytes(), bytes);
            sent.batch.append(random.nextLong(regions.firstPage(region), regions.endPage(region)),
                    1 + random.nextInt(255), length, random.nextInt());
        }
        sent.batch.stamp(2, 1, 1);
        PageBatch got = BatchFrames.receive(sent.seal(), 1).batch;
        assertEquals(sent.batch.count(), got.count());
        assertEquals(sent.batch.payloadBytes(), got.payloadBytes());
        assertEquals(sent.batch.round(), got.round());
        assertEquals(region, got.region());
        assertEquals(2, got.generation());
        for (int i = 0; i < got.count(); i++) {
            assertEquals(sent.batch.descriptorAt(i), got.descriptorAt(i));
            assertEquals(sent.batch.checksumAt(i), got.checksumAt(i));
        }
        assertEquals(-1, sent.batch.payload().asSlice(0, got.payloadBytes())
                .mismatch(got.payload().asSlice(0, got.payloadBytes())));
    }

    @Property(tries = 300)
    void aForgedBatchIsRefusedOrStaysInItsRegion(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        BatchFrames sample = BatchFrames.sample();
        FrameVerifier verified = sample.verified();
        for (int i = 0; i < 3; i++) {
            // Anywhere but in the payload, which is opaque here.
            int place = sample.body() + random.nextInt(verified.summedLength());
            sample.view.put(place, (byte) (sample.view.get(place) ^ 1 << random.nextInt(8)));
        }
        PageBatch got = new BatchFrames().batch;
        try {
            new PageBatchReader(Samples.REGIONS, 2, 1)
                    .read(sample.view, sample.body(), verified, 1, got);
        } catch (WireException e) {
            return;
        }
        int sum = 0;
        for (int i = 0; i < got.count(); i++) {
            long page = PageBatch.pageOf(got.descriptorAt(i));
            assertEquals(got.region(), Samples.REGIONS.regionOf(page));
            sum += PageBatch.lengthOf(got.descriptorAt(i));
        }
        assertEquals(got.payloadBytes(), sum);
    }

    @Example
    void aLongReasonIsCutBetweenTwoCharacters() throws Exception {
        String reason = "ü".repeat(511) + "x😀" + "tail";
        Message.Failure got = (Message.Failure) Samples.receive(Samples.frame(
                new Message.Failure(ErrorCode.BUSY, reason)));
        assertEquals("ü".repeat(511) + "x", got.reason());
        assertTrue(got.reason().getBytes(StandardCharsets.UTF_8).length
                <= Message.MAX_REASON_BYTES);
    }

    @Example
    void theLongestHelloFits() throws Exception {
        Message.Hello longest = MessageArbitraries.longestHello();
        byte[] frame = Samples.frame(longest);
        assertEquals(1_398_971, frame.length - WireLimits.FRAME_HEADER_BYTES);
        assertTrue(frame.length - WireLimits.FRAME_HEADER_BYTES <= WireLimits.MAX_MESSAGE_BODY);
        assertEquals(longest, Samples.receive(frame));
    }

    /** What is not known is skipped where it may be, and refused where it may not. */
    @Example
    void unknownExtensionsAreSkippedOrRefused() throws Exception {
        Message hello = Samples.messages().get(MessageType.HELLO);
        byte[] plain = Samples.frame(hello);
        assertEquals(hello, Samples.receive(extended(plain, 0x8007)));
        assertEquals("extension type", assertThrows(WireException.class,
                () -> Samples.receive(extended(plain, 7))).field());
    }

    /** A target of before skips it: its type is optional. */
    @Example
    void aSlotIsNamedInAnExtensionThatNobodyHasToKnow() throws Exception {
        Message.Hello hello = (Message.Hello) Samples.messages().get(MessageType.HELLO);
        Message.Hello named = new Message.Hello(hello.migrationId(), hello.epoch(),
                hello.features(), hello.channels(), hello.verification(), hello.guest(), "web-1");
        byte[] frame = Samples.frame(named);
        assertEquals(named, Samples.receive(frame));
        assertArrayEquals(frame, extended(Samples.frame(hello), 0x8002, "web-1"));
    }

    @Example
    void aSlotHasOneNameOfAFewCharacters() throws Exception {
        byte[] plain = Samples.frame(Samples.messages().get(MessageType.HELLO));
        for (String bad : new String[] {"", "Web", "a/b", "a b", "\u0000", "\u00e4",
                "x".repeat(65)}) {
            assertEquals("slot", assertThrows(WireException.class,
                    () -> Samples.receive(extended(plain, 0x8002, bad))).field(), bad);
        }
        String longest = "x".repeat(64);
        assertEquals(longest, ((Message.Hello) Samples.receive(
                extended(plain, 0x8002, longest))).slot());
        assertEquals("extension type", assertThrows(WireException.class,
                () -> Samples.receive(extended(plain, 0x8002, "a", "a"))).field());
    }

    private static byte[] extended(byte[] hello, int type) {
        return extended(hello, type, "\0\0\0");
    }

    private static byte[] extended(byte[] hello, int type, String... values) {
        int more = java.util.Arrays.stream(values).mapToInt(value -> value.length() + 4).sum();
        byte[] frame = java.util.Arrays.copyOf(hello, hello.length + more);
        java.nio.ByteBuffer view = Samples.little(frame);
        view.putShort(WireLimits.FRAME_HEADER_BYTES + 50, (short) values.length);
        view.position(hello.length);
        for (String value : values) {
            view.putShort((short) type).putShort((short) value.length())
                    .put(value.getBytes(StandardCharsets.ISO_8859_1));
        }
        FrameHeader.begin(view, 0, MessageType.HELLO.number(),
                frame.length - WireLimits.FRAME_HEADER_BYTES);
        new FrameHeader.Sealer().seal(view, 0);
        return frame;
    }

    @Example
    void aDiskHasAnExactSizeAndRamHasWholePages() throws Exception {
        RegionTable disk = new RegionTable(java.util.List.of(
                new Region(0, Region.Kind.DISK, "vda", 0, 4097, 4096)));
        assertEquals(2, disk.pageCount());
        Message.Hello hello = (Message.Hello) Samples.messages().get(MessageType.HELLO);
        Message.Hello offered = new Message.Hello(hello.migrationId(), 1, 0, 1, 1,
                new GuestDescription("disk", "vda", disk, 4097, java.util.Map.of()), "");
        assertEquals(offered, Samples.receive(Samples.frame(offered)));
        assertThrows(IllegalArgumentException.class,
                () -> new Region(0, Region.Kind.RAM, "ram", 0, 4097, 4096));
    }

    @Example
    void whatIsBeyondALimitIsNotSent() {
        assertThrows(IllegalArgumentException.class,
                () -> MessageCodec.encode(new Message.StateChunk(1, 0, new byte[0])));
        assertThrows(IllegalArgumentException.class, () -> MessageCodec.encode(
                new Message.StateChunk(1, 0, new byte[Message.MAX_CHUNK_BYTES + 1])));
        assertThrows(IllegalArgumentException.class,
                () -> MessageCodec.encode(new Message.PageChecksumsRequest(-1, 1)));
        assertThrows(IllegalArgumentException.class,
                () -> MessageCodec.encode(new Message.Welcome(Samples.ID, 0, 0, 1, 1)));
    }

    @Example
    void malformedUtf8IsRefused() {
        byte[] frame = Samples.frame(new Message.Refused(1, "abc"));
        frame[frame.length - 1] = (byte) 0xc3;
        new FrameHeader.Sealer().seal(Samples.little(frame), 0);
        assertEquals("reason",
                assertThrows(WireException.class, () -> Samples.receive(frame)).field());
    }
}
