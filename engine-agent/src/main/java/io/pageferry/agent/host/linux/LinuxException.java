package io.pageferry.agent.host.linux;

import java.io.IOException;
import java.util.Map;

/** A call of the kernel failed. The message names the call, the error and what it was done to. */
public final class LinuxException extends IOException {
    private static final long serialVersionUID = 1L;

    /** From {@code asm-generic/errno-base.h} and {@code errno.h}: what our calls can answer. */
    private static final Map<Integer, String> NAMES = Map.ofEntries(
            Map.entry(1, "EPERM"), Map.entry(2, "ENOENT"), Map.entry(3, "ESRCH"),
            Map.entry(4, "EINTR"), Map.entry(5, "EIO"), Map.entry(6, "ENXIO"),
            Map.entry(7, "E2BIG"), Map.entry(9, "EBADF"), Map.entry(10, "ECHILD"),
            Map.entry(11, "EAGAIN"), Map.entry(12, "ENOMEM"), Map.entry(13, "EACCES"),
            Map.entry(14, "EFAULT"), Map.entry(16, "EBUSY"), Map.entry(17, "EEXIST"),
            Map.entry(19, "ENODEV"), Map.entry(20, "ENOTDIR"), Map.entry(21, "EISDIR"),
            Map.entry(22, "EINVAL"), Map.entry(23, "ENFILE"), Map.entry(24, "EMFILE"),
            Map.entry(25, "ENOTTY"), Map.entry(26, "ETXTBSY"), Map.entry(27, "EFBIG"),
            Map.entry(28, "ENOSPC"), Map.entry(29, "ESPIPE"), Map.entry(30, "EROFS"),
            Map.entry(38, "ENOSYS"), Map.entry(61, "ENODATA"),
            Map.entry(84, "EILSEQ"), Map.entry(121, "EREMOTEIO"), Map.entry(123, "ENOMEDIUM"),
            Map.entry(95, "EOPNOTSUPP"), Map.entry(110, "ETIMEDOUT"),
            Map.entry(111, "ECONNREFUSED"), Map.entry(133, "EHWPOISON"));

    private final String call;
    private final int errno;

    /**
     * Makes the exception.
     *
     * @param call   name of the call, as in its manual page
     * @param errno  the kernel's error number, ≥ 1
     * @param detail what the call was done to
     */
    public LinuxException(String call, int errno, String detail) {
        super(detail + ": " + call + " failed with " + nameOf(errno) + " (" + errno + ")");
        this.call = call;
        this.errno = errno;
    }

    /**
     * Returns which call failed.
     *
     * @return its name as in its manual page
     */
    public String call() {
        return call;
    }

    /**
     * Returns the error number.
     *
     * @return the kernel's error number, ≥ 1
     */
    public int errno() {
        return errno;
    }

    /**
     * Gives an error its name.
     *
     * @param errno the kernel's error number
     * @return for example {@code EPERM}; {@code errno} where the name is not known here
     */
    public static String nameOf(int errno) {
        return NAMES.getOrDefault(errno, "errno");
    }
}
