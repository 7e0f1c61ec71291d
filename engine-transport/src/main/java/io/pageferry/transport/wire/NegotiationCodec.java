package io.pageferry.transport.wire;

import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SlotName;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/** The messages that open migrations, channels and questions. */
final class NegotiationCodec {
    private static final int MAX_GRANULE = 1 << 30;
    private static final int VERIFICATIONS = 2;

    /** What a connection is for, as its first message states; 3 is kept for faults. */
    private static final int ROLE_CONTROL = 1;
    private static final int ROLE_PAGES = 2;

    /** Bit of an extension's type: a peer that does not know the type may skip it. */
    private static final int OPTIONAL = 1 << 15;

    /** Type of the extension that names a slot. */
    private static final int SLOT = 2 | OPTIONAL;

    private static final Region.Kind[] KINDS = Region.Kind.values();

    private NegotiationCodec() {
    }

    /** Writes a message of this kind; null for any other. */
    static MessageType write(Message message, Fields.Writer out) {
        switch (message) {
            case Message.Hello hello -> {
                writeHello(hello, out);
                return MessageType.HELLO;
            }
            case Message.Welcome welcome -> {
                out.uuid(welcome.token()).count("generation", welcome.generation(), 1)
                        .bits(welcome.features())
                        .u16("channels", welcome.channels(), 1, Message.MAX_CHANNELS)
                        .u16("window", welcome.window(), 1, WireLimits.MAX_WINDOW).reserved(4);
                return MessageType.WELCOME;
            }
            case Message.ChannelHello hello -> {
                out.uuid(hello.token()).count("generation", hello.generation(), 1);
                writeChannel(hello.channel(), out)
                        .u8("role", ROLE_PAGES, 0, ROLE_PAGES).reserved(3);
                return MessageType.CHANNEL_HELLO;
            }
            case Message.ChannelReady ready -> {
                out.count("generation", ready.generation(), 1);
                writeChannel(ready.channel(), out).reserved(4);
                return MessageType.CHANNEL_READY;
            }
            case Message.Resume resume -> {
                out.uuid(resume.migrationId()).uuid(resume.token())
                        .count("generation", resume.generation(), 1)
                        .count("epoch", resume.epoch(), 0);
                return MessageType.RESUME;
            }
            case Message.Status status -> {
                out.uuid(status.migrationId()).count("epoch", status.epoch(), 0);
                return MessageType.STATUS;
            }
            case Message.StatusUnknown unknown -> {
                out.count("epoch", unknown.epoch(), 0)
                        .reason(unknown.reason(), Message.MAX_REASON_BYTES);
                return MessageType.STATUS_UNKNOWN;
            }
            default -> {
                return null;
            }
        }
    }

    static Message read(MessageType type, Fields.Reader in) throws WireException {
        return switch (type) {
            case HELLO -> readHello(in);
            case WELCOME -> readWelcome(in);
            case CHANNEL_HELLO -> {
                UUID token = in.uuid("token");
                long generation = in.count("generation", 1);
                int channel = readChannel(in);
                in.u8("role", ROLE_PAGES, ROLE_PAGES);
                in.reserved(3);
                yield new Message.ChannelHello(token, generation, channel);
            }
            case CHANNEL_READY -> {
                long generation = in.count("generation", 1);
                int channel = readChannel(in);
                in.reserved(4);
                yield new Message.ChannelReady(generation, channel);
            }
            case RESUME -> new Message.Resume(in.uuid("migration"), in.uuid("token"),
                    in.count("generation", 1), in.count("epoch", 0));
            case STATUS -> new Message.Status(in.uuid("migration"), in.count("epoch", 0));
            default ->
                    new Message.StatusUnknown(in.count("epoch", 0), MessageCodec.readReason(in));
        };
    }

    static Fields.Writer writeChannel(int channel, Fields.Writer out) {
        return out.u16("channel", channel, 0, Message.MAX_CHANNELS - 1).reserved(2);
    }

    static int readChannel(Fields.Reader in) throws WireException {
        int channel = in.u16("channel", 0, Message.MAX_CHANNELS - 1);
        in.reserved(2);
        return channel;
    }

    private static void writeHello(Message.Hello hello, Fields.Writer out) {
        GuestDescription guest = hello.guest();
        List<Region> regions = guest.regions().regions();
        Map<String, String> attributes = guest.attributes();
        if (guest.regions().pageCount() > WireLimits.MAX_PAGES) {
            throw new IllegalArgumentException("regions: " + guest.regions().pageCount()
                    + " pages, allowed " + WireLimits.MAX_PAGES);
        }
        out.uuid(hello.migrationId()).count("epoch", hello.epoch(), 0).bits(hello.features())
                .u16("channels", hello.channels(), 1, Message.MAX_CHANNELS)
                .u8("verification", hello.verification(), 0, VERIFICATIONS)
                .u8("role", ROLE_CONTROL, 0, ROLE_CONTROL)
                .u32("regions", regions.size(), 1, RegionTable.MAX_REGIONS)
                .count("data bytes", guest.dataBytes(), 0)
                .u16("attributes", attributes.size(), 0, GuestDescription.MAX_ATTRIBUTES)
                .u16("extensions", hello.slot().isEmpty() ? 0 : 1, 0, WireLimits.MAX_EXTENSIONS)
                .string("kind", guest.kind(), 1, WireLimits.MAX_KIND_BYTES)
                .string("name", guest.name(), 0, WireLimits.MAX_NAME_BYTES);
        for (Region region : regions) {
            out.bits(region.guestBase()).count("region size", region.size(), 1)
                    .u32("region granule", region.granule(), PageGeometry.PAGE_SIZE, MAX_GRANULE)
                    .u8("region kind", region.kind().ordinal() + 1, 1, KINDS.length)
                    .text8("region name", region.name(), Region.MAX_NAME_BYTES);
        }
        attributes.forEach((key, value) -> out
                .string("attribute key", key, 1, WireLimits.MAX_KEY_BYTES)
                .string("attribute value", value, 0, WireLimits.MAX_VALUE_BYTES));
        if (!hello.slot().isEmpty()) {
            byte[] slot = SlotName.require(hello.slot()).getBytes(StandardCharsets.US_ASCII);
            out.u16("extension type", SLOT, 1, 0xffff)
                    .u16("extension length", slot.length, 1, SlotName.MAX_LENGTH).bytes(slot);
        }
    }

    private static Message readHello(Fields.Reader in) throws WireException {
        UUID migration = in.uuid("migration");
        long epoch = in.count("epoch", 0);
        long features = in.bits("features");
        int channels = in.u16("channels", 1, Message.MAX_CHANNELS);
        int verification = in.u8("verification", 0, VERIFICATIONS);
        in.u8("role", ROLE_CONTROL, ROLE_CONTROL);
        int regions = (int) in.u32("regions", 1, RegionTable.MAX_REGIONS);
        long dataBytes = in.count("data bytes", 0);
        int attributes = in.u16("attributes", 0, GuestDescription.MAX_ATTRIBUTES);
        int extensions = in.u16("extensions", 0, WireLimits.MAX_EXTENSIONS);
        String kind = in.string("kind", 1, WireLimits.MAX_KIND_BYTES);
        String name = in.string("name", 0, WireLimits.MAX_NAME_BYTES);
        RegionTable table = readRegions(in, regions);
        GuestDescription guest = new GuestDescription(
                kind, name, table, dataBytes, readAttributes(in, attributes));
        return new Message.Hello(migration, epoch, features, channels, verification, guest,
                readExtensions(in, extensions));
    }

    /**
     * Returns the slot that is named, empty for none. Of the others, which this version does not
     * know, an optional one is skipped and a mandatory one refused.
     */
    private static String readExtensions(Fields.Reader in, int count) throws WireException {
        String slot = "";
        for (int i = 0; i < count; i++) {
            int type = in.u16("extension type", 1, 0xffff);
            byte[] value = in.bytes("extension",
                    in.u16("extension length", 0, WireLimits.MAX_EXTENSION_BYTES));
            if (type == SLOT) {
                if (!slot.isEmpty()) {
                    throw WireException.violation("extension type", "a second slot is named");
                }
                slot = slot(value);
            } else if ((type & OPTIONAL) == 0) {
                throw WireException.violation("extension type",
                        type + " is unknown and not optional");
            }
        }
        return slot;
    }

    private static String slot(byte[] value) throws WireException {
        // Each byte is one character: none that is not allowed turns into one that is.
        String name = new String(value, StandardCharsets.ISO_8859_1);
        if (!SlotName.isValid(name)) {
            throw WireException.violation("slot", value.length + " bytes are not 1 to "
                    + SlotName.MAX_LENGTH + " of a-z, 0-9, '.', '_' and '-'");
        }
        return name;
    }

    private static RegionTable readRegions(Fields.Reader in, int count) throws WireException {
        List<Region> regions = new ArrayList<>();
        long pages = 0;
        for (int id = 0; id < count; id++) {
            long base = in.bits("region guest base");
            long size = in.count("region size", 1);
            int granule = (int) in.u32("region granule", PageGeometry.PAGE_SIZE, MAX_GRANULE);
            Region.Kind kind = KINDS[in.u8("region kind", 1, KINDS.length) - 1];
            int nameBytes = in.u8("region name length", 1, Region.MAX_NAME_BYTES);
            String name = in.text("region name", nameBytes);
            pages += PageGeometry.pagesFor(size);
            if (pages > WireLimits.MAX_PAGES) {
                throw WireException.violation("region size",
                        "more than " + WireLimits.MAX_PAGES + " pages in all");
            }
            try {
                regions.add(new Region(id, kind, name, base, size, granule));
            } catch (IllegalArgumentException e) {
                throw WireException.violation("region " + id, e.getMessage());
            }
        }
        try {
            return new RegionTable(regions);
        } catch (IllegalArgumentException e) {
            throw WireException.violation("regions", e.getMessage());
        }
    }

    private static SortedMap<String, String> readAttributes(Fields.Reader in, int count)
            throws WireException {
        TreeMap<String, String> attributes = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            String key = in.string("attribute key", 1, WireLimits.MAX_KEY_BYTES);
            if (!attributes.isEmpty() && attributes.lastKey().compareTo(key) >= 0) {
                throw WireException.violation("attribute key", "'" + key + "' is out of order");
            }
            attributes.put(key, in.string("attribute value", 0, WireLimits.MAX_VALUE_BYTES));
        }
        return attributes;
    }

    private static Message readWelcome(Fields.Reader in) throws WireException {
        UUID token = in.uuid("token");
        long generation = in.count("generation", 1);
        long features = in.bits("features");
        int channels = in.u16("channels", 1, Message.MAX_CHANNELS);
        int window = in.u16("window", 1, WireLimits.MAX_WINDOW);
        in.reserved(4);
        return new Message.Welcome(token, generation, features, channels, window);
    }
}
