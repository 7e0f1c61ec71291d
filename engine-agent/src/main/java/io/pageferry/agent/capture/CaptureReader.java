package io.pageferry.agent.capture;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Reads a capture front to back, whoever made it; confined to one thread. */
public final class CaptureReader implements AutoCloseable {
    private final InputStream in;
    private final Capture.Side side;
    private final ByteBuffer record = little(CaptureFormat.RECORD_BYTES);
    private final ByteBuffer bytes = little(CaptureFormat.MOST_BYTES);
    private String incomplete;
    private boolean ended;
    private long read;

    /**
     * Opens a capture.
     *
     * @param file its path
     * @return the reader; the caller's to close
     * @throws IOException where it is none, with a message that says so, or cannot be read
     */
    public static CaptureReader open(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new IOException("there is no file " + file);
        }
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is no regular file");
        }
        if (!Files.isReadable(file)) {
            throw new IOException(file + " cannot be read by this user");
        }
        InputStream in = Files.newInputStream(file);
        try {
            return new CaptureReader(in, file.toString());
        } catch (IOException e) {
            in.close();
            throw e;
        }
    }

    /**
     * Reads a capture from a stream.
     *
     * @param from the first byte of it; closed with this
     * @param name what errors call it
     * @throws IOException where it is none, or cannot be read
     */
    public CaptureReader(InputStream from, String name) throws IOException {
        this.in = new BufferedInputStream(from, 1 << 16);
        ByteBuffer header = little(CaptureFormat.HEADER_BYTES);
        if (!fill(header) || !CaptureFormat.isMagic(header)) {
            throw new IOException(name + " is no capture");
        }
        int number = header.get(10);
        if (!CaptureFormat.isHeaderSound(header) || number < 1 || number > 2
                || header.get(11) != 0) {
            throw new IOException(name + " is a capture whose first bytes are damaged");
        }
        if (header.getShort(8) != CaptureFormat.VERSION) {
            throw new IOException(name + " is a capture of version "
                    + Short.toUnsignedInt(header.getShort(8)) + ", and this knows version "
                    + CaptureFormat.VERSION);
        }
        this.side = Capture.Side.values()[number - 1];
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** {@return which side made it} */
    public Capture.Side side() {
        return side;
    }

    /** {@return why something is missing, once the end was reached; empty where nothing is} */
    public Optional<String> incomplete() {
        return Optional.ofNullable(incomplete);
    }

    /**
     * Reads the next record.
     *
     * @return the record, or empty at the end
     * @throws IOException where the file is damaged, or cannot be read
     */
    public Optional<Capture.Event> next() throws IOException {
        if (ended) {
            return Optional.empty();
        }
        long at = read;
        if (!fill(record)) {
            return cutShort();
        }
        int kind = record.getInt(4);
        int connection = record.getInt(0);
        int length = record.getInt(16);
        boolean whole = kind >= Capture.Kind.INCOMPLETE.number();
        if (!CaptureFormat.isRecordSound(record) || kind < 1
                || kind > Capture.Kind.values().length || length < 0
                || length > CaptureFormat.MOST_BYTES || connection < 0
                || whole != (connection == 0)) {
            throw new IOException("the capture is damaged at byte " + at);
        }
        bytes.clear().limit(length);
        if (!fill(bytes)) {
            return cutShort();
        }
        if (!whole) {
            return Optional.of(new Capture.Event(Capture.Kind.values()[kind - 1], connection,
                    record.getLong(8), bytes.rewind()));
        }
        ended = true;
        if (kind == Capture.Kind.INCOMPLETE.number()) {
            incomplete = StandardCharsets.UTF_8.decode(bytes.rewind()).toString();
        }
        return Optional.empty();
    }

    private Optional<Capture.Event> cutShort() {
        ended = true;
        incomplete = "the file was cut short";
        return Optional.empty();
    }

    /** Fills a buffer up to its limit; false where the file ends before. */
    private boolean fill(ByteBuffer into) throws IOException {
        int got = in.readNBytes(into.array(), 0, into.limit());
        read += got;
        return got == into.limit();
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
