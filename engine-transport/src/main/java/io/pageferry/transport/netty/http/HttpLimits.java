package io.pageferry.transport.netty.http;

import java.time.Duration;

/** What callers may take of a server, each limit stated here alone. */
public final class HttpLimits {
    /** Connections at once; a further one takes the place of one that asks for nothing. */
    public static final int CONNECTIONS = 352;

    /** Readers of events among them. */
    public static final int EVENT_READERS = 256;

    /** Callers among them that wait for an end: the rest is always left for short questions. */
    public static final int WAITING = 64;

    /** Bytes of the first line of a request. */
    public static final int LINE_BYTES = 4 << 10;

    /** Bytes of the header lines of a request together. */
    public static final int HEADER_BYTES = 16 << 10;

    /** Bytes of the body of a request. */
    public static final int BODY_BYTES = 256 << 10;

    /** Bytes of the bodies of all requests that are not answered. */
    public static final int ALL_BODY_BYTES = 8 << 20;

    /** How long a request may take to come, from the connection or its first byte on. */
    public static final Duration REQUEST = Duration.ofSeconds(10);

    /** How long a connection may ask for nothing behind an answer. */
    public static final Duration IDLE = Duration.ofSeconds(30);

    /** How long a caller may take to read an answer. */
    public static final Duration ANSWER = Duration.ofSeconds(30);

    /** How often a comment goes to a reader of events; one not taken until the next ends it. */
    public static final Duration HEARTBEAT = Duration.ofSeconds(15);

    /** Bytes of events that may wait for one reader, beyond what the kernel holds for it. */
    public static final int EVENT_BYTES = 256 << 10;

    /** The same of all readers: past it the one for which most waits is cut. */
    public static final int ALL_EVENT_BYTES = 8 << 20;

    /** What a caller that is turned away should wait, in seconds. */
    static final int RETRY_SECONDS = 1;

    private HttpLimits() {
    }
}
