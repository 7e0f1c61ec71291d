package io.pageferry.agent.host.disk.nbd;

import java.util.OptionalInt;

/**
 * What a server says of an export, checked.
 *
 * @param size       bytes, more than 0
 * @param flags      transmission flags
 * @param minBlock   bytes of which offsets and lengths have to be multiples, 1 … 4096
 * @param maxBlock   most bytes of one request, 4096 …
 * @param structured whether replies come in chunks
 * @param allocation number of the context {@code base:allocation}; empty where it has none
 */
record NbdExport(long size, int flags, int minBlock, int maxBlock, boolean structured,
        OptionalInt allocation) {
    private static final int READ_ONLY = 1 << 1;
    private static final int SEND_FLUSH = 1 << 2;
    private static final int SEND_WRITE_ZEROES = 1 << 6;

    boolean isReadOnly() {
        return (flags & READ_ONLY) != 0;
    }

    boolean canFlush() {
        return (flags & SEND_FLUSH) != 0;
    }

    boolean canZero() {
        return (flags & SEND_WRITE_ZEROES) != 0;
    }
}
