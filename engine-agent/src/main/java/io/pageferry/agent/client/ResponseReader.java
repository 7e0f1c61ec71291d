package io.pageferry.agent.client;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** Reads answers of HTTP/1.1, strictly: what is not as an agent words it is refused. */
final class ResponseReader {
    /** Bytes of one line of the head; an agent's have a few hundred. */
    private static final int LINE = 8 << 10;
    private static final int HEADERS = 64;
    /** Bytes of an answer; a history of thousands of moves has some MiB. */
    private static final long BODY = 64L << 20;
    private static final int NO_CONTENT = 204;
    private static final int HEX = 16;

    private final InputStream in;
    /** What has come of a line: it stays where the wait for the rest of it ends. */
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    /**
     * The first line and the headers.
     *
     * @param status  three digits
     * @param headers names in lower case
     */
    record Head(int status, Map<String, String> headers) {
        boolean isChunked() {
            return headers.getOrDefault("transfer-encoding", "").equals("chunked");
        }
    }

    ResponseReader(InputStream in) {
        this.in = in;
    }

    Head head() throws IOException {
        String first = line();
        if (!first.matches("HTTP/1\\.1 [1-5]\\d\\d( .*)?")) {
            throw new IOException("this is no answer of an agent: it begins with '" + first + "'");
        }
        Map<String, String> headers = new HashMap<>();
        for (String next = line(); !next.isEmpty(); next = line()) {
            int colon = next.indexOf(':');
            if (colon < 1 || headers.size() == HEADERS) {
                throw new IOException("this is no answer of an agent: it has a line '" + next
                        + "'");
            }
            headers.put(next.substring(0, colon).toLowerCase(Locale.ROOT),
                    next.substring(colon + 1).strip());
        }
        return new Head(Integer.parseInt(first.substring(9, 12)), headers);
    }

    /** Reads a whole body. */
    byte[] body(Head head) throws IOException {
        if (head.status() == NO_CONTENT) {
            return new byte[0];
        }
        if (head.isChunked()) {
            return chunks().readNBytes((int) BODY);
        }
        long length = number(head.headers().getOrDefault("content-length", ""), 10);
        byte[] all = in.readNBytes((int) length);
        if (all.length < length) {
            throw new EOFException("the agent's answer ended early");
        }
        return all;
    }

    /** {@return the body that comes in chunks, as it comes} */
    InputStream chunks() {
        return new Chunks();
    }

    private static long number(String text, int radix) throws IOException {
        try {
            long number = Long.parseLong(text.strip(), radix);
            if (number >= 0 && number <= BODY) {
                return number;
            }
        } catch (NumberFormatException e) {
            // The error is thrown below.
        }
        throw new IOException("this is no answer of an agent: its length is '" + text + "'");
    }

    private String line() throws IOException {
        while (line.size() < LINE) {
            int next = in.read();
            if (next < 0) {
                throw new EOFException("the agent ended the connection");
            }
            if (next == '\n') {
                String whole = line.toString(StandardCharsets.UTF_8);
                line.reset();
                return whole.endsWith("\r") ? whole.substring(0, whole.length() - 1) : whole;
            }
            line.write(next);
        }
        throw new IOException("this is no answer of an agent: it has a line of more than " + LINE
                + " bytes");
    }

    /** What the chunks carry. */
    private final class Chunks extends InputStream {
        private long left;
        private boolean ended;
        /** The line end behind a chunk is still to be read. */
        private boolean behindChunk;

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            if (behindChunk && left == 0) {
                if (!line().isEmpty()) {
                    throw new IOException("this is no answer of an agent: a chunk has no end");
                }
                behindChunk = false;
            }
            if (left == 0 && !ended) {
                left = number(line(), HEX);
                ended = left == 0;
                behindChunk = !ended;
            }
            if (ended) {
                return -1;
            }
            int some = in.read(bytes, offset, (int) Math.min(length, left));
            if (some < 0) {
                throw new EOFException("the agent ended the connection");
            }
            left -= some;
            return some;
        }
    }
}
