package io.pageferry.transport.netty;

import java.nio.ByteBuffer;

/**
 * Is shown all that goes over the connections of one side, inside of any encryption. The IO threads
 * call it, each connection's always the same one: it must not wait.
 */
public interface CaptureSink {
    /**
     * Notes a connection that was opened.
     *
     * @return a number that names it from now on, and no other
     */
    int opened();

    /**
     * Notes bytes that came, before anybody reads them.
     *
     * @param connection as {@link #opened} named it
     * @param bytes      from position to limit; the caller's again on return
     */
    void received(int connection, ByteBuffer bytes);

    /**
     * Notes bytes that go to the socket, before they do.
     *
     * @param connection as {@link #opened} named it
     * @param bytes      from position to limit; the caller's again on return
     */
    void sent(int connection, ByteBuffer bytes);

    /**
     * Notes that nothing more comes.
     *
     * @param connection as {@link #opened} named it
     */
    void inputEnded(int connection);

    /**
     * Notes that the connection is closed. Once.
     *
     * @param connection as {@link #opened} named it
     */
    void closed(int connection);
}
