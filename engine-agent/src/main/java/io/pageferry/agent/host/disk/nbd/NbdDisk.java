package io.pageferry.agent.host.disk.nbd;

import io.pageferry.agent.host.disk.Disk;
import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.block.BlockFile;
import io.pageferry.core.memory.PageGeometry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

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
    /** Where it may hold data; null where that is not known. */
    private final DataMap data;
    private long bytes;

    /** What is done to an export. */
    public enum Use {
        /** It is read. */
        SOURCE,
        /** It is written, over what it holds. */
        TARGET,
        /** It is written, and was made a moment ago: it holds nothing. */
        MADE
    }

    private NbdDisk(NbdAddress address, String identity, NbdClient client, DataMap data) {
        this.address = address;
        this.identity = identity;
        this.client = client;
        this.export = client.export();
        this.data = data;
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
        return connect(address, identity, limit, Use.SOURCE);
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
        return connect(address, identity, limit, Use.TARGET);
    }

    /**
     * Connects to an export.
     *
     * @param address  as above
     * @param identity as above
     * @param limit    as above
     * @param use      what is done to it
     * @return as above
     * @throws IOException as above
     */
    public static NbdDisk connect(NbdAddress address, String identity, Duration limit, Use use)
            throws IOException {
        NbdClient client = NbdClient.connect(address, limit);
        boolean known = false;
        try {
            if (use != Use.SOURCE) {
                requireWritable(address, client.export());
            }
            DataMap data = use == Use.MADE ? new DataMap() : findData(client, limit);
            known = true;
            return new NbdDisk(address, identity, client, data);
        } finally {
            if (!known) {
                client.close();
            }
        }
    }

    private static void requireWritable(NbdAddress address, NbdExport export) throws IOException {
        String missing = export.isReadOnly() ? "is read-only" : export.canFlush() ? ""
                : "cannot be flushed, so nothing shows that what is written to it stays";
        if (!missing.isEmpty()) {
            throw new IOException("the export " + address + " " + missing);
        }
    }

    /** Once, before anything waits for it: nobody else writes to it meanwhile. */
    private static DataMap findData(NbdClient client, Duration limit) throws IOException {
        NbdExport export = client.export();
        if (export.allocation().isEmpty()) {
            return null;
        }
        DataMap found = new DataMap();
        long end = System.nanoTime() + limit.toNanos();
        long at = 0;
        while (at < export.size() && System.nanoTime() - end < 0) {
            long[] next = {at};
            client.status(at, (int) Math.min(STATUS_BYTES, export.size() - at),
                    (length, zeros) -> {
                        if (!zeros) {
                            found.add(next[0], length);
                        }
                        next[0] += length;
                    });
            at = next[0];
        }
        // What it was too slow to tell of may hold data.
        if (at < export.size()) {
            found.add(at, export.size() - at);
        }
        return found;
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
        inParts(wanted, (done, part) -> client.read(offset + done, into.asSlice(at + done, part)));
        into.asSlice(at + wanted, length - wanted).fill((byte) 0);
    }

    private interface Part {
        void ask(long done, int bytes) throws IOException;
    }

    /** As much at once as the server takes: a multiple of a page, and so of its smallest block. */
    private void inParts(long length, Part part) throws IOException {
        int most = Math.min(RUN_BYTES, export.maxBlock()) / PAGE * PAGE;
        for (long done = 0; done < length; done += most) {
            part.ask(done, (int) Math.min(length - done, most));
        }
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
        if (data != null) {
            data.add(offset, wanted);
        }
        inParts(wanted, (done, part) -> client.write(offset + done, from.asSlice(at + done, part)));
    }

    /** Not every format has zeros without storage but where nothing was written yet. */
    @Override
    public void zero(long offset, long length) throws IOException {
        long wanted = Math.min(length, bytes - offset);
        if (data != null && !data.has(offset, wanted)) {
            return;
        }
        inParts(wanted, (done, part) -> {
            if (export.canZero()) {
                client.zero(offset + done, part);
            } else {
                client.write(offset + done, ZEROS.asSlice(0, part));
            }
        });
    }

    @Override
    public void sync() throws IOException {
        client.flush();
    }

    @Override
    public long nextData(long offset) {
        return data == null || offset >= bytes ? Math.min(offset, bytes)
                : data.nextData(offset, bytes);
    }

    @Override
    public long nextHole(long offset) {
        return data == null || offset >= bytes ? bytes : data.nextHole(offset, bytes);
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
