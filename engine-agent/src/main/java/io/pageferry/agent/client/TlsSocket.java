package io.pageferry.agent.client;

import io.pageferry.core.words.Printable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.time.Duration;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/** A connection to an agent of another host, encrypted. */
final class TlsSocket extends ApiSocket {
    private static final int CONNECT_MILLIS = 10_000;

    private final String name;
    private final SSLSocket socket;
    private final InputStream in;
    private final OutputStream out;

    private TlsSocket(String name, SSLSocket socket) throws IOException {
        this.name = name;
        this.socket = socket;
        this.in = socket.getInputStream();
        this.out = socket.getOutputStream();
    }

    /** Connects, and shakes hands: the agent's certificate names the host. */
    static TlsSocket connect(TlsAddress address, Duration limit) throws IOException {
        String name = address.text();
        Socket plain = new Socket();
        try {
            plain.connect(new InetSocketAddress(InetAddress.getByName(address.host()),
                    address.port()), CONNECT_MILLIS);
            plain.setTcpNoDelay(true);
            SSLSocket socket = (SSLSocket) address.context().getSocketFactory()
                    .createSocket(plain, address.host(), address.port(), true);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setProtocols(new String[] {"TLSv1.3"});
            parameters.setApplicationProtocols(new String[] {address.protocol()});
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.setSoTimeout(CONNECT_MILLIS);
            socket.startHandshake();
            if (!address.protocol().equals(socket.getApplicationProtocol())) {
                throw new IOException(name + " does not serve " + address.protocol());
            }
            TlsSocket made = new TlsSocket(name, socket);
            made.limit(limit);
            return made;
        } catch (UnknownHostException e) {
            plain.close();
            throw new IOException(name + ": unknown host", e);
        } catch (SSLException e) {
            plain.close();
            throw words(name, e);
        } catch (IOException e) {
            plain.close();
            throw e.getMessage() != null && e.getMessage().startsWith(name) ? e
                    : new IOException(name + " cannot be reached: " + e.getMessage(), e);
        }
    }

    private static IOException words(String name, SSLException failure) {
        Throwable deepest = failure;
        while (deepest.getCause() != null) {
            deepest = deepest.getCause();
        }
        return new IOException("no TLS with " + name + ": "
                + Printable.of(String.valueOf(deepest.getMessage())), failure);
    }

    @Override
    void limit(Duration limit) throws IOException {
        socket.setSoTimeout(Math.clamp(limit.toMillis(), 1, Integer.MAX_VALUE));
    }

    @Override
    void write(ByteBuffer bytes) throws IOException {
        try {
            out.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
            out.flush();
        } catch (SSLException e) {
            throw words(name, e);
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        try {
            return in.read(bytes, offset, length);
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (SSLException e) {
            throw words(name, e);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
