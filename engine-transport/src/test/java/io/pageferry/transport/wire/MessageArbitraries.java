package io.pageferry.transport.wire;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SlotName;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.words.Printable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** Messages of every type with any values that the protocol allows. */
final class MessageArbitraries {
    private MessageArbitraries() {
    }

    static Arbitrary<Message> any() {
        return Arbitraries.oneOf(List.of(hellos(), welcomes(), rounds(), streams(), proofs(),
                ends()));
    }

    private static Arbitrary<Long> bits() {
        return Arbitraries.longs();
    }

    private static Arbitrary<Long> counts() {
        return Arbitraries.longs().between(0, Long.MAX_VALUE);
    }

    private static Arbitrary<Long> ones() {
        return Arbitraries.longs().between(1, Long.MAX_VALUE);
    }

    private static Arbitrary<UUID> uuids() {
        return Combinators.combine(bits(), bits()).as(UUID::new);
    }

    private static Arbitrary<String> slots() {
        return Arbitraries.strings().withChars("abcxyz0189._-").ofMaxLength(SlotName.MAX_LENGTH);
    }

    private static Arbitrary<Integer> channels() {
        return Arbitraries.integers().between(1, Message.MAX_CHANNELS);
    }

    private static Arbitrary<String> texts(int shortest, int longestChars) {
        return Arbitraries.strings().ofMinLength(shortest).ofMaxLength(longestChars)
                .filter(text -> text.equals(Printable.of(text)));
    }

    private static Arbitrary<long[]> sequences() {
        return counts().array(long[].class).ofMinSize(1).ofMaxSize(Message.MAX_CHANNELS);
    }

    private static Arbitrary<RegionTable> tables() {
        Arbitrary<Region> one = Combinators.combine(texts(1, 80), bits(),
                Arbitraries.longs().between(1, 1L << 30),
                Arbitraries.integers().between(12, 30))
                .as((name, base, pages, shift) ->
                        new Region(0, name, base, pages << 12, 1 << shift));
        return one.list().ofMinSize(1).ofMaxSize(20).uniqueElements(Region::name).map(list -> {
            List<Region> numbered = new ArrayList<>();
            for (Region region : list) {
                numbered.add(new Region(numbered.size(), region.name(), region.guestBase(),
                        region.size(), region.granule()));
            }
            return new RegionTable(numbered);
        });
    }

    private static Arbitrary<Message> hellos() {
        Arbitrary<GuestDescription> guests = Combinators.combine(texts(1, 20), texts(0, 80),
                tables(), counts(),
                Arbitraries.maps(texts(1, 80), texts(0, 200)).ofMaxSize(8))
                .as(GuestDescription::new);
        return Combinators.combine(uuids(), counts(), bits(), channels(),
                Arbitraries.integers().between(0, 2), guests, slots()).as(Message.Hello::new);
    }

    private static Arbitrary<Message> welcomes() {
        Arbitrary<Integer> channel = Arbitraries.integers().between(0, Message.MAX_CHANNELS - 1);
        return Arbitraries.oneOf(List.of(
                Combinators.combine(uuids(), ones(), bits(), channels(),
                        Arbitraries.integers().between(1, WireLimits.MAX_WINDOW))
                        .as((token, generation, features, channels, window) -> new Message.Welcome(
                                token, generation, features, channels, window)),
                Combinators.combine(uuids(), ones(), channel).as(Message.ChannelHello::new),
                Combinators.combine(ones(), channel).as(Message.ChannelReady::new),
                Combinators.combine(ones(), channel, counts(), counts(),
                        Arbitraries.integers().between(0, WireLimits.MAX_WINDOW))
                        .as(Message.Ack::new),
                Combinators.combine(uuids(), uuids(), ones(), counts()).as(Message.Resume::new),
                Combinators.combine(uuids(), counts()).as(Message.Status::new)));
    }

    private static Arbitrary<Message> rounds() {
        return Arbitraries.oneOf(List.of(
                Combinators.combine(counts(), sequences()).as(Message.RoundEnd::new),
                counts().map(Message.RoundApplied::new),
                counts().map(Message.RoundVerified::new),
                sequences().map(Message.PagesOwed::new),
                counts().map(Message.Switchover::new),
                Combinators.combine(counts(), Arbitraries.of(true, false)).as(Message.Grant::new),
                bits().map(Message.Heartbeat::new)));
    }

    private static Arbitrary<Message> streams() {
        Arbitrary<Integer> stream = Arbitraries.integers().between(0, Message.MAX_STREAMS - 1);
        return Arbitraries.oneOf(List.of(
                Combinators.combine(stream, ones()).as(Message.StreamCredit::new),
                Combinators.combine(stream, Arbitraries.bytes().array(byte[].class)
                        .ofMinSize(1).ofMaxSize(3000)).as(Message.StreamData::new),
                stream.map(Message.StreamEnd::new),
                proving().map(Message.Challenge::new), proving().map(Message.Proof::new),
                texts(1, 10).map(Message.MemoryAccess::new)));
    }

    private static Arbitrary<byte[]> proving() {
        return Arbitraries.bytes().array(byte[].class).ofSize(Message.Proving.BYTES);
    }

    private static Arbitrary<Message> proofs() {
        Arbitrary<Integer> pages = Arbitraries.integers().between(1, Message.MAX_TABLE_PAGES);
        Arbitrary<Message.StateSum> sums = Combinators.combine(counts(),
                Arbitraries.longs().between(0, 0xffff_ffffL)).as(Message.StateSum::new);
        return Arbitraries.oneOf(List.of(
                Combinators.combine(counts(), counts(), Arbitraries.bytes().array(byte[].class)
                        .ofMinSize(1).ofMaxSize(3000)).as(Message.StateChunk::new),
                Combinators.combine(counts(), bits(), counts(), sequences(), sums)
                        .as(Message.Complete::new),
                Combinators.combine(counts(), bits(), counts(), counts()).as(Message.Ready::new),
                Combinators.combine(counts(), bits(), ones(), bits().array(long[].class)
                        .ofMinSize(1).ofMaxSize(Message.MAX_BLOCKS)).as(Message.Mismatch::new),
                Combinators.combine(counts(), pages).as(Message.PageChecksumsRequest::new),
                Combinators.combine(counts(), Arbitraries.integers().array(int[].class)
                        .ofMinSize(1).ofMaxSize(1000)).as(Message.PageChecksums::new)));
    }

    private static Arbitrary<Message> ends() {
        Arbitrary<String> reasons = texts(0, 300);
        Arbitrary<ErrorCode> codes = Arbitraries.of(ErrorCode.class);
        Function<Arbitrary<? extends Message>, Arbitrary<Message>> as = one -> one.map(m -> m);
        return Arbitraries.oneOf(List.of(
                as.apply(Combinators.combine(counts(), counts()).as(Message.Running::new)),
                as.apply(Combinators.combine(counts(), reasons).as(Message.Refused::new)),
                as.apply(Combinators.combine(counts(), reasons).as(Message.Returned::new)),
                as.apply(Combinators.combine(counts(), reasons).as(Message.StatusUnknown::new)),
                as.apply(Combinators.combine(counts(), codes, reasons).as(Message.Cancel::new)),
                as.apply(Combinators.combine(counts(), counts(), counts())
                        .as(Message.Farewell::new)),
                as.apply(Combinators.combine(codes, reasons).as(Message.Failure::new))));
    }

    /** Everything at its limit at once. */
    static Message.Hello longestHello() {
        List<Region> regions = new ArrayList<>();
        for (int i = 0; i < RegionTable.MAX_REGIONS; i++) {
            regions.add(new Region(i, pad(i, Region.MAX_NAME_BYTES), i, 4096, 4096));
        }
        Map<String, String> attributes = new TreeMap<>();
        for (int i = 0; i < GuestDescription.MAX_ATTRIBUTES; i++) {
            attributes.put(pad(i, WireLimits.MAX_KEY_BYTES), pad(i, WireLimits.MAX_VALUE_BYTES));
        }
        return new Message.Hello(Samples.ID, 1, 0, 1, 0, new GuestDescription(
                pad(0, WireLimits.MAX_KIND_BYTES), pad(0, WireLimits.MAX_NAME_BYTES),
                new RegionTable(regions), 0, attributes), pad(0, SlotName.MAX_LENGTH));
    }

    private static String pad(int number, int bytes) {
        String text = Integer.toString(number);
        return "x".repeat(bytes - text.length()) + text;
    }
}
