package io.pageferry.transport.netty.tls;

import io.pageferry.core.words.Labelled;
import java.io.IOException;

/** A file of certificates or keys cannot be used. */
public final class TlsException extends IOException {
    private static final long serialVersionUID = 1L;

    private final Part part;

    /** Which of the files it is. */
    public enum Part implements Labelled {
        /** The own certificate. */
        CERT,
        /** Its private key. */
        KEY,
        /** Those who sign the peers' certificates. */
        CA
    }

    /**
     * Makes the exception.
     *
     * @param part    which file
     * @param message the file, what is wrong with it and what to do, one line
     * @param cause   the reason below, or null
     */
    public TlsException(Part part, String message, Throwable cause) {
        super(message, cause);
        this.part = part;
    }

    /** {@return which file} */
    public Part part() {
        return part;
    }
}
