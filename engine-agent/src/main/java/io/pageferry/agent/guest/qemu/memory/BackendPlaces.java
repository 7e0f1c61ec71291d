package io.pageferry.agent.guest.qemu.memory;

import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where memory backends are, by QEMU's own words: nothing else distinguishes two memfds of one
 * size. Asked of the human monitor, whose {@code info mtree} and {@code gpa2hva} only read; tried
 * with QEMU 7.2.
 */
final class BackendPlaces {
    /** A range of the memory that vCPUs see, which belongs to a backend. */
    private static final Pattern RANGE = Pattern.compile("\\s*(\\p{XDigit}+)-(\\p{XDigit}+)"
            + " \\(prio -?\\d+, ram\\): .*?(?: @(\\p{XDigit}+))?"
            + " owner:\\{obj path=/objects/([^}]+)\\}.*");
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
        Map<String, Range> ranges = ranges(qemu.human("info mtree -f -o"));
        for (QemuFacts.Backend backend : backends) {
            Range range = ranges.get(backend.id());
            if (range != null) {
                String answer = qemu.human("gpa2hva 0x" + Long.toHexString(range.start()));
                Matcher match = HOST.matcher(answer);
                if (match.matches()) {
                    places.put(backend.id(), new Place(range.start() - range.offset(),
                            hex(match.group(1)) - range.offset()));
                }
            }
        }
        return places;
    }

    /**
     * Finds the longest range of each backend: short ones are where firmware shows itself or RAM
     * by turns.
     *
     * @param tree the output of {@code info mtree -f -o}
     */
    private static Map<String, Range> ranges(String tree) {
        Map<String, Range> longest = new TreeMap<>();
        boolean memory = false;
        for (String line : tree.lines().toList()) {
            if (line.startsWith("FlatView")) {
                memory = false;
            }
            memory |= line.startsWith(" AS \"memory\"");
            Matcher match = RANGE.matcher(line);
            if (memory && match.matches()) {
                String offset = match.group(3);
                Range range = new Range(hex(match.group(1)), hex(match.group(2)),
                        offset == null ? 0 : hex(offset));
                longest.merge(match.group(4), range,
                        (a, b) -> a.length() >= b.length() ? a : b);
            }
        }
        return longest;
    }

    private static long hex(String digits) {
        return Long.parseUnsignedLong(digits, 16);
    }
}
