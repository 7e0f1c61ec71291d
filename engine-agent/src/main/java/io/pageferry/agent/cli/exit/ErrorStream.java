package io.pageferry.agent.cli.exit;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;

/**
 * The process's stderr, which holds nobody up that writes: a thread of its own passes on what is
 * written, and where that is not read, as by a pipe that is full, more is dropped and counted. A
 * guest may be paused while a line is written. Safe for any thread.
 */
final class ErrorStream extends OutputStream {
    /** So much may wait to be passed on: some thousand lines. */
    private static final int ROOM = 256 << 10;

    private final OutputStream out;
    // Guarded by this.
    private final Queue<byte[]> waiting = new ArrayDeque<>();
    private int waitingBytes;
    private long dropped;
    private boolean passing;

    /**
     * Begins to pass on.
     *
     * @param out where to; may block
     */
    ErrorStream(OutputStream out) {
        this.out = out;
        Thread.ofPlatform().daemon().name("stderr").start(this::pass);
    }

    /** Makes it the {@link System#err} of this process. */
    static ErrorStream install() {
        ErrorStream stream = new ErrorStream(System.err);
        System.setErr(new PrintStream(stream, true, System.err.charset()));
        return stream;
    }

    @Override
    public void write(int one) {
        write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) {
        if (waitingBytes + length > ROOM) {
            dropped += length;
            return;
        }
        if (dropped > 0) {
            add(("\npageferry: " + dropped + " bytes of messages were dropped, for nobody read"
                    + " them\n").getBytes(StandardCharsets.UTF_8));
            dropped = 0;
        }
        add(Arrays.copyOfRange(bytes, offset, offset + length));
    }

    private void add(byte[] bytes) {
        waiting.add(bytes);
        waitingBytes += bytes.length;
        notifyAll();
    }

    /**
     * Waits until all is passed on, before the process ends.
     *
     * @param millis at most so long
     */
    synchronized void drain(long millis) {
        long end = System.nanoTime() + millis * 1_000_000;
        try {
            for (long left = millis; (passing || !waiting.isEmpty()) && left > 0;
                    left = (end - System.nanoTime()) / 1_000_000) {
                wait(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void pass() {
        try {
            for (byte[] next = take(); next != null; next = take()) {
                out.write(next);
                out.flush();
            }
        } catch (IOException e) {
            // It is closed: what else is written is dropped once there is no room for more.
        }
    }

    private synchronized byte[] take() {
        passing = false;
        notifyAll();
        try {
            while (waiting.isEmpty()) {
                wait();
            }
        } catch (InterruptedException e) {
            return null;
        }
        byte[] next = waiting.remove();
        waitingBytes -= next.length;
        passing = true;
        return next;
    }
}
