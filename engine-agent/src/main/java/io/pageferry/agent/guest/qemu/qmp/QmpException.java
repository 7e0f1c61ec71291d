package io.pageferry.agent.guest.qemu.qmp;

import io.pageferry.core.words.Printable;
import java.io.IOException;

/**
 * A QMP command that did not succeed. {@link #kind()} shows whether QEMU refused it, in which case
 * the connection is as good as before, or whether the answer is unknown.
 */
public final class QmpException extends IOException {
    private static final long serialVersionUID = 1L;

    /** What went wrong. */
    public enum Kind {
        /** QEMU answered with an error; {@code errorClass} and {@code desc} are its words. */
        REFUSED,
        /** The connection ended: whether the command was carried out is unknown. */
        CLOSED,
        /** No answer within the limit; the command may still be carried out later. */
        TIMEOUT,
        /** What came is not QMP; the connection was closed. */
        PROTOCOL
    }

    private final Kind kind;
    private final String errorClass;
    private final String desc;

    private QmpException(Kind kind, String errorClass, String desc, String message) {
        super(message);
        this.kind = kind;
        this.errorClass = errorClass;
        this.desc = desc;
    }

    static QmpException refused(String command, String errorClass, String desc) {
        String shown = Printable.of(desc);
        return new QmpException(Kind.REFUSED, errorClass, shown,
                "QEMU refused " + command + ": " + shown);
    }

    /**
     * Makes one that QEMU did not word.
     *
     * @param kind    what went wrong
     * @param message for people
     * @return it
     */
    public static QmpException of(Kind kind, String message) {
        return new QmpException(kind, "", message, message);
    }

    /** The same, with the stack of the caller that has to deal with it now. */
    QmpException again() {
        return new QmpException(kind, errorClass, desc, getMessage());
    }

    /** Never null. */
    public Kind kind() {
        return kind;
    }

    /** QEMU's error class, e.g. {@code GenericError} or {@code CommandNotFound}; else empty. */
    public String errorClass() {
        return errorClass;
    }

    /** QEMU's own words for {@link Kind#REFUSED}, else the message. */
    public String desc() {
        return desc;
    }
}
