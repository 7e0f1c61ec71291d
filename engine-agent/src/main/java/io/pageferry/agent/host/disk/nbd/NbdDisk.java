package io.pageferry.agent.host.disk.nbd;

import io.pageferry.agent.host.disk.Disk;
import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.block.BlockFile;
import io.pageferry.core.memory.PageGeometry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.BitSet;

/**
 * A disk that an NBD server has. The protocol has nothing by which a client could hold an export
 * against others: who serves it has to see to that.
 */
public final class NbdDisk implements Disk {
    /** How long a server may take for an answer: less than a peer waits for the first page. */
    public static final Duration LIMIT = Duration.ofSeconds(20);

    private static final int PAGE = PageGeometry.PAGE_SIZE;
    private static final MemorySegment ZEROS = Arena.global().allocate(RUN_BYTES, PAGE);
    private static final int STATUS_BYTES = 512 << 20;

    private final NbdAddress address;
    private final String identity;
    private final NbdClient client;
    private final NbdExport export;
    /** Runs of 1 MiB that hold data; null where all may. */
    private BitSet data;
    private long bytes;

    private NbdDisk(NbdAddress address, String identity, NbdClient client) {
        this.address = address;
        this.identity = identity;
        this.client = client;
        this.export = client.export();
        this.bytes = export.size();
    }

    /**
     * Connects to an export that is to be read, and asks where it has holes.
     *
     * @param address  of the export
     * @param identity what no other disk of this host has
     * @param limit    for each answer
     * @return the disk, the caller's to close
     * @throws IOException in one line, where that cannot be
     */
    public static NbdDisk source(NbdAddress address, String identity, Duration limit)
            throws IOException {
        NbdDisk disk = new NbdDisk(address, identity, NbdClient.connect(address, limit));
        boolean known = false;
        try {
            disk.findData(limit);
            known = true;
            return disk;
        } finally {
            if (!known) {
                disk.close();
            }
        }
    }

    /**
     * Connects to an export that is to be written.
     *
     * @param address  as above
     * @param identity as above
     * @param limit    as above
     * @return as above
     * @throws IOException as above
     */
    public static NbdDisk target(NbdAddress address, String identity, Duration limit)
            throws IOException {
        NbdDisk disk = new NbdDisk(address, identity, NbdClient.connect(address, limit));
        String missing = disk.export.isReadOnly() ? "is read-only" : disk.export.canFlush() ? ""
                : "cannot be flushed, so nothing shows that what is written to it stays";
        if (!missing.isEmpty()) {
            disk.close();
            throw new IOException("the export " + address + " " + missing);
        }
        return disk;
    }

    /** Once, before anything waits for it: nobody writes to it meanwhile. */
    private void findData(Duration limit) throws IOException {
        if (export.allocation().isEmpty()) {
            return;
        }
        BitSet found = new BitSet();
        long end = System.nanoTime() + limit.toNanos();
        long at = 0;
        while (at < export.size() && System.nanoTime() - end < 0) {
            long[] next = {at};
            client.status(at, (int) Math.min(STATUS_BYTES, export.size() - at),
                    (length, zeros) -> {
                        if (!zeros) {
                            found.set((int) (next[0] / RUN_BYTES),
                                    (int) ((next[0] + length - 1) / RUN_BYTES) + 1);
                        }
                        next[0] += length;
                    });
            at = next[0];
        }
        // What it was too slow to tell of is read.
        if (at < export.size()) {
            found.set((int) (at / RUN_BYTES),
                    (int) ((export.size() + RUN_BYTES - 1) / RUN_BYTES));
        }
        data = found;
    }

    @Override
    public String address() {
        return address.toString();
    }

    @Override
    public String label() {
        return address.export().isEmpty() ? address.socket().getFileName().toString()
                : address.export();
    }

    @Override
    public String identity() {
        return identity;
    }

    @Override
    public boolean isDevice() {
        return true;
    }

    @Override
    public long size() {
        return export.size();
    }

    @Override
    public int sectorBytes() {
        return Math.max(BlockFile.SECTOR, export.minBlock());
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public void use(long most) {
        if (most < 1 || most > export.size() || most % export.minBlock() != 0) {
            throw new IllegalArgumentException(most + " bytes of " + address);
        }
        bytes = most;
    }

    @Override
    public boolean isUnchanged() {
        return client.isUp();
    }

    @Override
    public void read(long offset, MemorySegment into, long at, long length) throws IOException {
        long wanted = Math.min(length, bytes - offset);
        for (long done = 0; done < wanted;) {
            int part = (int) Math.min(wanted - done, most());
            client.read(offset + done, into.asSlice(at + done, part));
            done += part;
        }
        into.asSlice(at + wanted, length - wanted).fill((byte) 0);
    }

    /** A multiple of a page, and so of the smallest block. */
    private int most() {
        return Math.min(RUN_BYTES, export.maxBlock()) / PAGE * PAGE;
    }

    @Override
    public long badSector(long offset, MemorySegment memory) {
        long end = Math.min(offset + PAGE, bytes);
        for (long at = offset; at < end; at += sectorBytes()) {
            try {
                client.read(at, memory.asSlice(0, Math.min(sectorBytes(), end - at)));
            } catch (LinuxException e) {
                return at / BlockFile.SECTOR;
            } catch (IOException e) {
                break;
            }
        }
        return offset / BlockFile.SECTOR;
    }

    @Override
    public void write(long offset, MemorySegment from, long at, long length) throws IOException {
        long wanted = Math.min(length, bytes - offset);
        for (long done = 0; done < wanted;) {
            int part = (int) Math.min(wanted - done, most());
            client.write(offset + done, from.asSlice(at + done, part));
            done += part;
        }
    }

    @Override
    public void zero(long offset, long length) throws IOException {
        long wanted = Math.min(length, bytes - offset);
        for (long done = 0; done < wanted;) {
            int part = (int) Math.min(wanted - done, most());
            if (isZero(offset + done, part)) {
                done += part;
                continue;
            }
            if (export.canZero()) {
                client.zero(offset + done, part);
            } else {
                client.write(offset + done, ZEROS.asSlice(0, part));
            }
            done += part;
        }
    }

    /** Not every format has zeros without storage but where nothing was written yet. */
    private boolean isZero(long offset, int length) throws IOException {
        if (export.allocation().isEmpty()) {
            return false;
        }
        long[] zero = {0};
        client.status(offset, length, (bytes, zeros) -> zero[0] += zeros ? bytes : 0);
        return zero[0] == length;
    }

    @Override
    public void sync() throws IOException {
        client.flush();
    }

    @Override
    public long nextData(long offset) {
        if (data == null || offset >= bytes) {
            return Math.min(offset, bytes);
        }
        long run = data.nextSetBit((int) (offset / RUN_BYTES));
        return run < 0 ? bytes : Math.min(bytes, Math.max(offset, run * RUN_BYTES));
    }

    @Override
    public long nextHole(long offset) {
        if (data == null || offset >= bytes) {
            return bytes;
        }
        long run = data.nextClearBit((int) (offset / RUN_BYTES));
        return Math.min(bytes, Math.max(offset, run * RUN_BYTES));
    }

    @Override
    public void close() {
        client.close();
    }

    @Override
    public String toString() {
        return address();
    }
}
