package io.pageferry.agent.guest.qemu.memory;

import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where memory backends are, by QEMU's own words: nothing else distinguishes two memfds of one
 * size. Asked of the human monitor, whose {@code info mtree} and {@code gpa2hva} only read; tried
 * with QEMU 7.2.
 */
public final class BackendPlaces {
    /** A range of the memory that vCPUs see, which belongs to a backend. */
    private static final Pattern RANGE = Pattern.compile("\\s*(\\p{XDigit}+)-(\\p{XDigit}+)"
            + " \\(prio -?\\d+, ram\\): .*?(?: @(\\p{XDigit}+))?"
            + " owner:\\{obj path=/objects/([^}]+)\\}.*");
    /** The same for firmware, of which QEMU shows the name. */
    private static final Pattern FIRMWARE = Pattern.compile("\\s*(\\p{XDigit}+)-(\\p{XDigit}+)"
            + " \\(prio -?\\d+, (?:ramd?|romd?)\\): (\\S+)(?: @(\\p{XDigit}+))?.*");
    private static final String TREE = "info mtree -f -o";
    /** The group of {@link #RANGE} with the backend's id. */
    private static final int OWNER = 4;
    private static final Pattern HOST = Pattern.compile(
            "Host virtual address for 0x\\p{XDigit}+ \\(.*\\) is 0x(\\p{XDigit}+)\\s*");

    /**
     * Where one backend is.
     *
     * @param guest address that the guest sees for the first byte, were all of it in one piece
     * @param host  address of the first byte in QEMU
     */
    record Place(long guest, long host) { }

    private record Range(long start, long end, long offset) {
        long length() {
            return end - start;
        }
    }

    private BackendPlaces() {
    }

    /** By id; a backend is missing where this QEMU does not show it. */
    static Map<String, Place> of(QemuControl qemu, List<QemuFacts.Backend> backends)
            throws QmpException {
        Map<String, Place> places = new TreeMap<>();
        Map<String, Range> ranges = ranges(qemu.human(TREE), RANGE, OWNER, OWNER - 1);
        for (QemuFacts.Backend backend : backends) {
            Range range = ranges.get(backend.id());
            Optional<Long> host = range == null ? Optional.empty() : host(qemu, range);
            if (host.isPresent()) {
                places.put(backend.id(), new Place(range.start() - range.offset(), host.get()));
            }
        }
        return places;
    }

    /**
     * Finds blocks of firmware that the guest can see at present: of others QEMU 7.2 says nothing.
     *
     * @param qemu its monitor
     * @return addresses in QEMU by the name of the memory region, which ends the block's
     * @throws QmpException when the monitor is gone
     */
    public static Map<String, Long> ofFirmware(QemuControl qemu) throws QmpException {
        Map<String, Long> places = new TreeMap<>();
        for (Map.Entry<String, Range> one : ranges(qemu.human(TREE), FIRMWARE, OWNER - 1, OWNER)
                .entrySet()) {
            host(qemu, one.getValue()).ifPresent(host -> places.put(one.getKey(), host));
        }
        return places;
    }

    /** Where the first byte of a block lies of which the guest sees a range. */
    private static Optional<Long> host(QemuControl qemu, Range range) throws QmpException {
        Matcher match = HOST.matcher(qemu.human("gpa2hva 0x" + Long.toHexString(range.start())));
        return match.matches() ? Optional.of(hex(match.group(1)) - range.offset())
                : Optional.empty();
    }

    /**
     * Finds the longest range of each backend: short ones are where firmware shows itself or RAM
     * by turns.
     *
     * @param tree the output of {@code info mtree -f -o}
     */
    private static Map<String, Range> ranges(String tree, Pattern line, int name, int offset) {
        Map<String, Range> longest = new TreeMap<>();
        boolean memory = false;
        for (String one : tree.lines().toList()) {
            if (one.startsWith("FlatView")) {
                memory = false;
            }
            memory |= one.startsWith(" AS \"memory\"");
            Matcher match = line.matcher(one);
            if (memory && match.matches()) {
                String skipped = match.group(offset);
                Range range = new Range(hex(match.group(1)), hex(match.group(2)),
                        skipped == null ? 0 : hex(skipped));
                longest.merge(match.group(name), range,
                        (a, b) -> a.length() >= b.length() ? a : b);
            }
        }
        return longest;
    }

    private static long hex(String digits) {
        return Long.parseUnsignedLong(digits, 16);
    }
}
