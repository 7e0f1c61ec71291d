package io.pageferry.agent.capture;

import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.transport.netty.CaptureSink;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;

/**
 * Writes a capture into a file, on a thread of its own, and holds nobody up: what does not fit into
 * its two buffers while the disk is slow ends the capture, and nothing else. Any thread.
 */
public final class CaptureWriter implements CaptureSink, AutoCloseable {
    /** A quarter of a second of what a link of 1 Gbit/s carries; there are two of them. */
    static final int BUFFER_BYTES = 32 << 20;

    /** How long the end waits for a disk. */
    private static final long CLOSE_MILLIS = 10_000;

    private final Path file;
    private final FileChannel out;
    private final Arena memory;
    private final Consumer<String> trouble;
    private final Thread thread;
    private boolean told;

    // Guarded by this.
    private ByteBuffer filling;
    private ByteBuffer spare;
    private int connections;
    private String broken;
    private boolean closing;

    private CaptureWriter(Path file, FileChannel out, int bufferBytes, Consumer<String> trouble) {
        this.file = file;
        this.out = out;
        this.memory = Arena.ofShared();
        this.filling = buffer(bufferBytes);
        this.spare = buffer(bufferBytes);
        this.trouble = trouble;
        this.thread = Thread.ofPlatform().daemon().name("pageferry-capture").unstarted(this::write);
    }

    private ByteBuffer buffer(int bytes) {
        return memory.allocate(bytes, 8).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Begins a capture in a new file of mode 0600.
     *
     * @param file    its path, where nothing is
     * @param side    whose connections
     * @param trouble gets one line where the capture ends early, on any thread
     * @return the writer; the caller's to close
     * @throws IOException where no file can be made there, with a message that says why
     */
    public static CaptureWriter create(Path file, Capture.Side side, Consumer<String> trouble)
            throws IOException {
        return create(file, side, BUFFER_BYTES, trouble);
    }

    static CaptureWriter create(Path file, Capture.Side side, int bufferBytes,
            Consumer<String> trouble) throws IOException {
        try {
            PrivateFiles.create(file);
            FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE);
            out.write(CaptureFormat.header(side));
            CaptureWriter writer = new CaptureWriter(file, out, bufferBytes, trouble);
            writer.thread.start();
            return writer;
        } catch (FileAlreadyExistsException e) {
            throw new IOException("the capture " + file + " is there already, and nothing is"
                    + " written over it", e);
        } catch (NoSuchFileException e) {
            throw new IOException("no capture can be made at " + file + ": its folder is missing",
                    e);
        } catch (IOException e) {
            String why = e.getMessage() == null ? e.toString() : e.getMessage();
            throw new IOException("no capture can be made at " + file + ": " + why, e);
        }
    }

    @Override
    public synchronized int opened() {
        connections++;
        note(Capture.Kind.OPENED, connections, ByteBuffer.allocate(0));
        return connections;
    }

    @Override
    public void received(int connection, ByteBuffer bytes) {
        note(Capture.Kind.RECEIVED, connection, bytes);
    }

    @Override
    public void sent(int connection, ByteBuffer bytes) {
        note(Capture.Kind.SENT, connection, bytes);
    }

    @Override
    public void inputEnded(int connection) {
        note(Capture.Kind.INPUT_ENDED, connection, ByteBuffer.allocate(0));
    }

    @Override
    public void closed(int connection) {
        note(Capture.Kind.CLOSED, connection, ByteBuffer.allocate(0));
    }

    private synchronized void note(Capture.Kind kind, int connection, ByteBuffer bytes) {
        if (broken != null || closing) {
            return;
        }
        int all = bytes.remaining();
        int records = Math.max(1, Math.ceilDiv(all, CaptureFormat.MOST_BYTES));
        if (filling.remaining() < (long) all + (long) records * CaptureFormat.RECORD_BYTES) {
            broken = "the disk did not follow";
            notifyAll();
            return;
        }
        boolean first = filling.position() == 0;
        long now = System.nanoTime();
        int at = bytes.position();
        for (int i = 0; i < records; i++) {
            int length = Math.min(CaptureFormat.MOST_BYTES, bytes.limit() - at);
            CaptureFormat.putRecord(filling, kind, connection, now, length);
            filling.put(filling.position(), bytes, at, length);
            filling.position(filling.position() + length);
            at += length;
        }
        if (first) {
            notifyAll();
        }
    }

    /** The writer's thread. */
    private void write() {
        try (out) {
            ByteBuffer next = take();
            while (next != null && writeAll(next.flip())) {
                giveBack(next.clear());
                next = take();
            }
            end();
        } catch (IOException e) {
            // The file ends where it ends: a reader knows that it was cut short.
            tell(fail(e.getMessage()));
        } finally {
            free();
        }
    }

    private synchronized void free() {
        closing = true;
        memory.close();
    }

    /** Waits for something to write; null once there is nothing more. */
    private synchronized ByteBuffer take() {
        try {
            while (filling.position() == 0 && !closing && broken == null) {
                wait();
            }
        } catch (InterruptedException e) {
            broken = "its thread was interrupted";
        }
        if (filling.position() == 0) {
            return null;
        }
        ByteBuffer full = filling;
        filling = spare;
        spare = null;
        return full;
    }

    private synchronized void giveBack(ByteBuffer written) {
        spare = written;
    }

    /** Writes all of it or nothing; false where the disk does not take it. */
    private boolean writeAll(ByteBuffer bytes) throws IOException {
        long start = out.position();
        try {
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
            return true;
        } catch (IOException e) {
            fail(e.getMessage());
            // What is given back leaves room for the record that says why.
            out.truncate(start);
            out.position(start);
            return false;
        }
    }

    private synchronized String fail(String why) {
        if (broken == null) {
            broken = why == null ? "the file cannot be written" : why;
        }
        return broken;
    }

    /** Once, by the writer's thread. */
    private void tell(String why) {
        if (!told) {
            told = true;
            trouble.accept("the capture " + file + " is incomplete (" + why
                    + "); the move goes on without it");
        }
    }

    /** Ends what is noted, then the file. */
    private void end() throws IOException {
        String why;
        synchronized (this) {
            closing = true;
            why = broken;
        }
        if (why != null) {
            tell(why);
        }
        byte[] words = why == null ? new byte[0] : why.getBytes(StandardCharsets.UTF_8);
        ByteBuffer last = ByteBuffer.allocate(CaptureFormat.RECORD_BYTES + words.length)
                .order(ByteOrder.LITTLE_ENDIAN);
        CaptureFormat.putRecord(last, why == null ? Capture.Kind.END : Capture.Kind.INCOMPLETE, 0,
                System.nanoTime(), words.length);
        last.put(words).flip();
        while (last.hasRemaining()) {
            out.write(last);
        }
    }

    /** Writes what is noted, and ends the file; waits for that up to some seconds. Idempotent. */
    @Override
    public void close() {
        synchronized (this) {
            closing = true;
            notifyAll();
        }
        try {
            thread.join(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
