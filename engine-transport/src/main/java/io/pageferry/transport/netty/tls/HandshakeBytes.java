package io.pageferry.transport.netty.tls;

/**
 * Tells those behind TLS in the pipeline that a handshake takes memory: a peer that has proved
 * nothing yet can have it kept.
 *
 * @param count how much more: what came, and with the first of it {@link #ENGINE}
 */
public record HandshakeBytes(int count) {
    /** About what engine, keys and buffers of one handshake are; docs/BENCHMARKS.md, TLS. */
    public static final int ENGINE = 16 * 1024;
}
