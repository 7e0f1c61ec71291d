package io.pageferry.agent.e2e;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.SplittableRandom;

/** Speaks memcached's text protocol over its socket. What a key holds follows from its number. */
final class MemcachedClient implements AutoCloseable {
    private static final long SEED = 1_000_000;
    private static final int LEAST = 100;
    private static final int MOST = 1200;

    private final SocketChannel channel;
    private final InputStream in;
    private final OutputStream out;

    MemcachedClient(Path socket) throws IOException {
        channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(socket));
        in = new BufferedInputStream(Channels.newInputStream(channel));
        out = Channels.newOutputStream(channel);
    }

    private static String value(int key) {
        SplittableRandom random = new SplittableRandom(SEED + key);
        StringBuilder text = new StringBuilder();
        int length = random.nextInt(LEAST, MOST);
        while (text.length() < length) {
            text.append(Long.toHexString(random.nextLong()));
        }
        return text.toString();
    }

    private static String store(int key, String more) {
        String value = value(key);
        return "set key" + key + " 0 0 " + value.length() + more + "\r\n" + value + "\r\n";
    }

    /** Stores keys 0 … count − 1; returns when all of them are. */
    void fill(int count) throws IOException {
        for (int key = 0; key < count; key++) {
            send(store(key, " noreply"));
        }
        send("version\r\n");
        String answer = line();
        if (!answer.startsWith("VERSION")) {
            throw new IOException("memcached says " + answer);
        }
    }

    /** Stores a key again, and returns when it is. */
    void set(int key) throws IOException {
        send(store(key, ""));
        String answer = line();
        if (!answer.equals("STORED")) {
            throw new IOException("memcached says " + answer + " of key " + key);
        }
    }

    /** Whether it has a key with what belongs to it. */
    boolean has(int key) throws IOException {
        send("get key" + key + "\r\n");
        boolean right = false;
        for (String line = line(); !line.equals("END"); line = line()) {
            right |= line.equals(value(key));
        }
        return right;
    }

    private void send(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.US_ASCII));
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new EOFException("memcached closed the connection");
            }
            line.append((char) next);
        }
        return line.toString().strip();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
