package io.pageferry.agent.trust;

import io.pageferry.transport.netty.tls.TlsFiles;
import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/** What the JDK's TLS is made with, for those who ask an agent. */
public final class PeerContexts {
    private static final char[] NO_PASSWORD = new char[0];

    private PeerContexts() {
    }

    /**
     * Makes one for a peer with a certificate.
     *
     * @param files its own, and the CA of the agent
     * @return the context; a server whose certificate was revoked is refused
     * @throws IOException with one line, where the files cannot be used
     */
    public static SSLContext of(TlsFiles files) throws IOException {
        TlsFiles.Material own = files.read();
        try {
            KeyStore keys = empty();
            keys.setKeyEntry("own", own.key(), NO_PASSWORD,
                    own.chain().toArray(X509Certificate[]::new));
            KeyManagerFactory factory = KeyManagerFactory.getInstance(
                    KeyManagerFactory.getDefaultAlgorithm());
            factory.init(keys, NO_PASSWORD);
            return context(factory.getKeyManagers(), new Checking(server -> {
                if (own.revokes(server[0])) {
                    throw new CertificateException("the agent's certificate was revoked");
                }
                return checker(own.ca());
            }));
        } catch (GeneralSecurityException e) {
            throw new IOException(files.certificate() + " cannot be used: " + e.getMessage(), e);
        }
    }

    /**
     * Makes one for a host that joins: it knows the CA's certificate by its SHA-256 alone, which
     * the agent shows behind its own.
     *
     * @param pin of the CA's certificate
     * @return the context, without a certificate of this side
     * @throws IOException never, on a JVM with TLS
     */
    public static SSLContext pinned(byte[] pin) throws IOException {
        try {
            return context(null, new Checking(server -> {
                for (X509Certificate one : server) {
                    if (MessageDigest.isEqual(pin, JoinToken.pin(one))) {
                        return checker(List.of(one));
                    }
                }
                throw new CertificateException("the agent is not of the CA that made the token");
            }));
        } catch (GeneralSecurityException e) {
            throw new IOException("there is no TLS: " + e.getMessage(), e);
        }
    }

    private static SSLContext context(KeyManager[] keys, TrustManager trust)
            throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(keys, new TrustManager[] {trust}, new SecureRandom());
        return context;
    }

    private static KeyStore empty() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static X509ExtendedTrustManager checker(List<X509Certificate> anchors)
            throws GeneralSecurityException, IOException {
        KeyStore store = empty();
        for (int i = 0; i < anchors.size(); i++) {
            store.setCertificateEntry("ca" + i, anchors.get(i));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
    }

    /** Whom a server's certificates are to be checked against, once they are known. */
    @FunctionalInterface
    private interface Anchors {
        X509ExtendedTrustManager of(X509Certificate[] server)
                throws GeneralSecurityException, IOException;
    }

    /** Checks servers; nobody connects to this side. */
    private static final class Checking extends X509ExtendedTrustManager {
        private final Anchors anchors;

        Checking(Anchors anchors) {
            this.anchors = anchors;
        }

        private X509ExtendedTrustManager of(X509Certificate[] server)
                throws CertificateException {
            try {
                return anchors.of(server);
            } catch (CertificateException e) {
                throw e;
            } catch (GeneralSecurityException | IOException e) {
                throw new CertificateException(e.getMessage(), e);
            }
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            of(chain).checkServerTrusted(chain, type, socket);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            of(chain).checkServerTrusted(chain, type, engine);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type)
                throws CertificateException {
            of(chain).checkServerTrusted(chain, type);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            throw nobody();
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            throw nobody();
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type)
                throws CertificateException {
            throw nobody();
        }

        private static CertificateException nobody() {
            return new CertificateException("nobody connects here");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
