package io.pageferry.transport.netty.tls;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslProvider;
import io.netty.internal.tcnative.SSL;
import io.netty.util.internal.NativeLibraryLoader;

/** Who encrypts. */
public enum TlsEngine {
    /** BoringSSL where it loads, else the JDK. */
    AUTO,
    /** BoringSSL, by netty-tcnative. */
    NATIVE,
    /** The JDK's own. */
    JDK;

    /**
     * Returns whether it works here. A JVM that was not told to allow native code would warn of
     * it, so that it is not even tried there.
     *
     * @return whether connections can be made with it
     */
    public boolean isAvailable() {
        return this != NATIVE || SSL.class.getModule().isNativeAccessEnabled()
                && NativeLibraryLoader.class.getModule().isNativeAccessEnabled()
                && OpenSsl.isAvailable();
    }

    /** The one that is used, in Netty's words. */
    SslProvider provider() {
        return this != JDK && NATIVE.isAvailable() ? SslProvider.OPENSSL_REFCNT : SslProvider.JDK;
    }
}
