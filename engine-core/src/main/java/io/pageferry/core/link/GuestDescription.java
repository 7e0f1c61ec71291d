package io.pageferry.core.link;

import io.pageferry.core.memory.RegionTable;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the target must know of a guest before it can accept.
 *
 * @param kind       scheme of its URI, for example {@code qemu}; 1 to 64 UTF-8 bytes
 * @param name       what people call it; up to 255 UTF-8 bytes
 * @param regions    its memory
 * @param dataBytes  bytes of its memory that are not holes, as of negotiation
 * @param attributes what its kind compares between the sides (machine type, vCPUs …), sorted by
 *                   key; at most {@link #MAX_ATTRIBUTES}, keys up to 255, values up to 4096 bytes
 */
public record GuestDescription(
        String kind,
        String name,
        RegionTable regions,
        long dataBytes,
        Map<String, String> attributes) {
    /** Most attributes of one guest. */
    public static final int MAX_ATTRIBUTES = 256;

    /** Copies the attributes, sorted, so that the wire form is the same for the same guest. */
    public GuestDescription {
        attributes = java.util.Collections.unmodifiableMap(new TreeMap<>(attributes));
    }
}
