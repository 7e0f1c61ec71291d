package io.pageferry.bench.link;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;

/** The first bytes of a source that begins a TLS handshake. */
public final class ClientHello {
    private ClientHello() {
    }

    /**
     * Makes one by the JDK's TLS, of TLS 1.3 and with the ALPN name of the protocol.
     *
     * @return its bytes
     * @throws IOException when the JDK makes none
     */
    public static byte[] bytes() throws IOException {
        try {
            SSLEngine engine = SSLContext.getDefault().createSSLEngine("localhost", 1);
            SSLParameters parameters = engine.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"pageferry/1"});
            parameters.setProtocols(new String[] {"TLSv1.3"});
            engine.setSSLParameters(parameters);
            engine.setUseClientMode(true);
            ByteBuffer bytes = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
            engine.wrap(ByteBuffer.allocate(0), bytes);
            return Arrays.copyOf(bytes.array(), bytes.position());
        } catch (GeneralSecurityException e) {
            throw new IOException("the JDK's TLS makes no ClientHello", e);
        }
    }
}
