package io.pageferry.agent.capture.frame;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * A HELLO.
 *
 * @param migration    its name
 * @param epoch        the highest that was used
 * @param features     bits offered
 * @param channels     wanted
 * @param verification 0 none, 1 sent, 2 full
 * @param regions      pages of each, in order
 * @param disks        of {@code storage.} attributes, in order
 */
public record Offer(UUID migration, long epoch, long features, int channels, int verification,
        List<Long> regions, List<String> disks) {
    private static final int PAGE = 4096;
    private static final long MOST_GRANULE = 1L << 30;
    private static final int OPTIONAL = 1 << 15;
    private static final int SLOT = 2 | OPTIONAL;
    private static final int LONGEST_SLOT = 64;
    private static final String SLOT_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    private static final String STORAGE = "storage.";
    private static final long STORAGE_BIT = 1L << 32;

    /**
     * Reads the body of a HELLO.
     *
     * @param bytes from position to limit
     * @return what it offers
     * @throws Breach where a field does not hold
     */
    public static Offer read(ByteBuffer bytes) throws Breach {
        Body body = new Body(bytes);
        UUID migration = body.uuid("migration");
        long epoch = body.count("epoch", 0);
        long features = body.bits("features");
        int channels = (int) body.u16("channels", 1, 64);
        int verification = (int) body.u8("verification", 0, 2);
        body.u8("role", 1, 1);
        int regions = (int) body.u32("regions", 1, 1024);
        body.count("data bytes", 0);
        int attributes = (int) body.u16("attributes", 0, 256);
        int extensions = (int) body.u16("extensions", 0, 16);
        body.string("kind", 1, 64);
        body.string("name", 0, 255);
        List<Long> pages = regions(body, regions);
        SortedMap<String, String> words = attributes(body, attributes);
        extensions(body, extensions);
        body.end();
        return new Offer(migration, epoch, features, channels, verification, pages,
                (features & STORAGE_BIT) == 0 ? List.of() : disks(words));
    }

    private static List<Long> regions(Body body, int count) throws Breach {
        List<Long> pages = new ArrayList<>();
        Set<String> names = new HashSet<>();
        long total = 0;
        for (int i = 0; i < count; i++) {
            body.bits("guest base");
            long size = body.count("size", 0);
            long granule = body.u32("granule", 0, 0xFFFF_FFFFL);
            long kind = body.u8("kind", 0, 0xFF);
            String name = body.text("name of region " + i, body.u8("length", 0, 0xFF), 1, 255);
            Breach.unless(kind == 1 || kind == 2, Rule.REGION_KIND,
                    "region " + i + " is of kind " + kind);
            Breach.unless(size > 0 && (kind == 2 || size % PAGE == 0), Rule.REGION_SIZE,
                    "region " + i + " has " + size + " bytes");
            Breach.unless(granule >= PAGE && granule <= MOST_GRANULE
                    && Long.bitCount(granule) == 1, Rule.REGION_GRANULE,
                    "region " + i + " has a granule of " + granule + " bytes");
            Breach.unless(names.add(name), Rule.REGION_NAME,
                    "region " + i + " has the name of another");
            pages.add((size - 1) / PAGE + 1);
            total += pages.getLast();
            Breach.unless(total <= 1L << 40, Rule.REGION_PAGES, "more than 2^40 pages");
        }
        return pages;
    }

    private static SortedMap<String, String> attributes(Body body, int count) throws Breach {
        TreeMap<String, String> words = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            String key = body.string("key", 1, 255);
            Breach.unless(words.isEmpty() || words.lastKey().compareTo(key) < 0,
                    Rule.ATTRIBUTE_ORDER, "attribute " + i + " is not behind the one before");
            words.put(key, body.string("value of an attribute", 0, 4096));
        }
        return words;
    }

    private static void extensions(Body body, int count) throws Breach {
        boolean named = false;
        for (int i = 0; i < count; i++) {
            long type = body.u16("type of an extension", 0, 0xFFFF);
            Breach.unless(type != 0, Rule.EXTENSION_ZERO, "extension " + i + " is of type 0");
            ByteBuffer value = body.bytes("extension",
                    body.u16("length of an extension", 0, 1024));
            if (type == SLOT) {
                Breach.unless(!named, Rule.SLOT_TWICE, "extension " + i
                        + " names a slot, as one before does");
                named = true;
                slot(value);
            }
            Breach.unless((type & OPTIONAL) != 0, Rule.EXTENSION_UNKNOWN, "extension " + i
                    + " of type " + type + " is not known and not optional");
        }
    }

    private static void slot(ByteBuffer name) throws Breach {
        Breach.unless(name.hasRemaining() && name.remaining() <= LONGEST_SLOT, Rule.SLOT_NAME,
                "the name of the slot has " + name.remaining() + " bytes");
        while (name.hasRemaining()) {
            int one = name.get() & 0xFF;
            Breach.unless(SLOT_CHARACTERS.indexOf(one) >= 0, Rule.SLOT_NAME,
                    "the name of the slot has a byte of " + one);
        }
    }

    private static List<String> disks(SortedMap<String, String> words) throws Breach {
        List<String> disks = new ArrayList<>();
        for (var word : words.entrySet()) {
            if (word.getKey().startsWith(STORAGE)) {
                Breach.unless(word.getValue().matches("[0-9]{1,19}"), Rule.DISK_SIZE,
                        word.getKey() + " is no size in bytes");
                disks.add(word.getKey());
            }
        }
        return disks;
    }

    /** {@return pages of all regions} */
    public long pages() {
        return regions.stream().mapToLong(Long::longValue).sum();
    }
}
