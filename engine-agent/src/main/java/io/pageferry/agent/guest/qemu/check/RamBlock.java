package io.pageferry.agent.guest.qemu.check;

import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.qmp.QmpException.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Memory that QEMU holds under a name: RAM, video memory, firmware. All of it is part of QEMU's own
 * migration.
 *
 * @param name     as its migration has it
 * @param pageSize bytes
 * @param used     bytes that are moved
 * @param total    bytes that are set aside
 * @param host     address in QEMU, 0 where this QEMU does not say it
 */
public record RamBlock(String name, long pageSize, long used, long total, long host) {
    /** A line of x-query-ramblock: name, page size and its unit, offset, used, total. */
    private static final Pattern LINE = Pattern.compile(
            "\\s*(\\S+)\\s+(\\d+) ([KMG])iB\\s+0x\\p{XDigit}+\\s+0x(\\p{XDigit}+)"
                    // From 8.0 on, the address in QEMU follows, and whether it is read-only.
                    + "\\s+0x(\\p{XDigit}+)(?:\\s+0x(\\p{XDigit}+))?(?:\\s+r[ow])?\\s*");

    /**
     * Asks a QEMU for all of them.
     *
     * @param qemu its monitor
     * @return in QEMU's order; empty where it does not show them
     * @throws QmpException when the monitor is gone
     */
    public static List<RamBlock> of(QemuControl qemu) throws QmpException {
        List<RamBlock> blocks = new ArrayList<>();
        for (String line : table(qemu).split("\n")) {
            Matcher match = LINE.matcher(line);
            if (match.matches()) {
                String host = match.group(6);
                int shift = 10 * (1 + "KMG".indexOf(match.group(3)));
                blocks.add(new RamBlock(match.group(1), Long.parseLong(match.group(2)) << shift,
                        hex(match.group(4)), hex(match.group(5)), host == null ? 0 : hex(host)));
            }
        }
        return blocks;
    }

    private static String table(QemuControl qemu) throws QmpException {
        try {
            return qemu.qmp().execute("x-query-ramblock").path("human-readable-text").asText("");
        } catch (QmpException e) {
            if (e.kind() != Kind.REFUSED) {
                throw e;
            }
            return "";
        }
    }

    private static long hex(String digits) {
        return Long.parseUnsignedLong(digits, 16);
    }

    /**
     * Returns whether it holds the RAM of a backend.
     *
     * @param id of the backend
     * @return whether they are the same memory
     */
    public boolean isOf(String id) {
        return name.equals(id) || name.equals("/objects/" + id);
    }
}
