package io.pageferry.agent.host.linux.libvirt;

import io.pageferry.agent.host.linux.libvirt.Libvirt.Call;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A connection to a libvirt daemon. Any thread; each call waits for the daemon's answer.
 *
 * <p>The daemon may go away at any time, for example when it is updated; guests live on. Calls fail
 * then with {@link LibvirtException#isConnectionLost}, and another connection is to be opened.
 */
public final class LibvirtConnection implements AutoCloseable {
    /** The daemon of the host, of which libvirt's own commands are a client, too. */
    public static final String SYSTEM = "qemu:///system";

    /** VIR_DOMAIN_SAVE_PAUSED. */
    private static final int PAUSED = 4;
    /** A daemon that does not answer for three times as long is gone. */
    private static final int KEEP_ALIVE_SECONDS = 5;
    private static final int KEEP_ALIVE_COUNT = 3;

    private final MemorySegment pointer;
    private boolean closed;

    private LibvirtConnection(MemorySegment pointer) {
        this.pointer = pointer;
    }

    /**
     * Connects to a daemon.
     *
     * @param uri for example {@link #SYSTEM}
     * @return the connection, the caller's to close
     * @throws LibvirtException where no daemon answers, or this user may not
     */
    public static LibvirtConnection open(String uri) throws LibvirtException {
        Libvirt.start();
        try (Arena arena = Arena.ofConfined()) {
            LibvirtConnection connection =
                    new LibvirtConnection(Call.OPEN.pointer(arena.allocateFrom(uri)));
            boolean opened = false;
            try {
                Call.KEEP_ALIVE.number(connection.pointer, KEEP_ALIVE_SECONDS, KEEP_ALIVE_COUNT);
                opened = true;
                return connection;
            } finally {
                if (!opened) {
                    connection.close();
                }
            }
        }
    }

    MemorySegment pointer() {
        return pointer;
    }

    /** {@return whether the daemon is there, as far as is known} */
    public synchronized boolean isAlive() {
        try {
            return !closed && Call.IS_ALIVE.number(pointer) == 1;
        } catch (LibvirtException e) {
            return false;
        }
    }

    /**
     * Finds a domain, whether it runs or not.
     *
     * @param name its name
     * @return the domain, the caller's to close
     * @throws LibvirtException {@link LibvirtException#isNoDomain} where there is none
     */
    public LibvirtDomain domain(String name) throws LibvirtException {
        try (Arena arena = Arena.ofConfined()) {
            return new LibvirtDomain(this,
                    Call.LOOKUP.pointer(pointer, arena.allocateFrom(name)));
        }
    }

    /**
     * Returns what this host can do for a domain.
     *
     * @param architecture of the domain, {@code x86_64}
     * @param type         {@code kvm} or {@code qemu}
     * @return domainCapabilities of libvirt, XML
     * @throws LibvirtException where it can do nothing for it
     */
    public String capabilities(String architecture, String type) throws LibvirtException {
        try (Arena arena = Arena.ofConfined()) {
            return Call.CAPABILITIES.text(pointer, MemorySegment.NULL,
                    arena.allocateFrom(architecture), MemorySegment.NULL,
                    arena.allocateFrom(type), 0);
        }
    }

    /**
     * Works out how QEMU would be started for a domain, and starts nothing.
     *
     * @param xml the domain
     * @throws LibvirtException where this host cannot, with the reason
     */
    public void requireStartable(String xml) throws LibvirtException {
        try (Arena arena = Arena.ofConfined()) {
            Call.TO_NATIVE.text(pointer, arena.allocateFrom("qemu-argv"), arena.allocateFrom(xml),
                    0);
        }
    }

    /**
     * Starts a domain from a saved one, paused. Returns when all of it was read and the domain is
     * there, so another thread has to write it.
     *
     * @param path of the saved domain, may be a pipe
     * @throws LibvirtException where libvirt or QEMU refused it; there is no such domain then
     */
    public void restorePaused(String path) throws LibvirtException {
        try (Arena arena = Arena.ofConfined()) {
            Call.RESTORE.number(pointer, arena.allocateFrom(path), MemorySegment.NULL, PAUSED);
        }
    }

    /**
     * Defines a domain for good, whether or not it runs.
     *
     * @param xml the domain
     * @throws LibvirtException where libvirt refuses
     */
    public void define(String xml) throws LibvirtException {
        try (Arena arena = Arena.ofConfined()) {
            Call.FREE.number(Call.DEFINE.pointer(pointer, arena.allocateFrom(xml)));
        }
    }

    /** Closes it. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            try {
                Call.CLOSE.number(pointer);
            } catch (LibvirtException e) {
                // A daemon that is gone needs no farewell.
                return;
            }
        }
    }
}
