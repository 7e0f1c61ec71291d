package io.pageferry.agent.host.linux.libvirt;

import io.pageferry.agent.host.linux.libvirt.Libvirt.Call;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** A domain of a {@link LibvirtConnection}, on whose life it depends. Any thread. */
public final class LibvirtDomain implements AutoCloseable {
    /** VIR_DOMAIN_XML_MIGRATABLE, and _SECURE. */
    private static final int MIGRATABLE = 8;
    private static final int SECURE = 1;
    /** VIR_DOMAIN_UNDEFINE_KEEP_NVRAM; and _MANAGED_SAVE and _SNAPSHOTS_METADATA. */
    private static final int KEEP_NVRAM = 8;
    private static final int WITH_METADATA = 1 | 2 | KEEP_NVRAM;
    /** VIR_DOMAIN_RUNNING and _PAUSED. */
    private static final int RUNNING = 1;
    private static final int PAUSED = 3;

    private static final Map<Long, Events> LISTENERS = new ConcurrentHashMap<>();
    private static final AtomicLong NEXT = new AtomicLong(1);
    private static MemorySegment upcall;

    private final LibvirtConnection connection;
    private final MemorySegment pointer;
    private long listener;
    private int registration = -1;
    private boolean closed;

    /** Receives events of QEMU's monitor, on libvirt's thread: it must not wait. */
    @FunctionalInterface
    public interface Events {
        /**
         * Takes one.
         *
         * @param name    as QEMU names it
         * @param details its data as JSON, empty where it has none
         */
        void on(String name, String details);
    }

    LibvirtDomain(LibvirtConnection connection, MemorySegment pointer) {
        this.connection = connection;
        this.pointer = pointer;
    }

    /**
     * {@return whether it runs or is paused}
     *
     * @throws LibvirtException when the daemon does not say
     */
    public boolean isActive() throws LibvirtException {
        return Call.IS_ACTIVE.number(pointer) == 1;
    }

    /**
     * {@return whether its vCPUs run}
     *
     * @throws LibvirtException when the daemon does not say
     */
    public boolean isRunning() throws LibvirtException {
        return state() == RUNNING;
    }

    /**
     * {@return whether it is paused}
     *
     * @throws LibvirtException when the daemon does not say
     */
    public boolean isPaused() throws LibvirtException {
        return state() == PAUSED;
    }

    private int state() throws LibvirtException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(ValueLayout.JAVA_INT);
            Call.STATE.number(pointer, state, MemorySegment.NULL, 0);
            return state.get(ValueLayout.JAVA_INT, 0);
        }
    }

    /**
     * Returns its description, as another host needs it.
     *
     * @param secrets whether with passwords of its displays
     * @return XML
     * @throws LibvirtException when the daemon refuses
     */
    public String xml(boolean secrets) throws LibvirtException {
        return Call.XML.text(pointer, secrets ? MIGRATABLE | SECURE : MIGRATABLE);
    }

    /**
     * Lets it run.
     *
     * @throws LibvirtException when libvirt or QEMU refused
     */
    public void resume() throws LibvirtException {
        Call.RESUME.number(pointer);
    }

    /**
     * Ends it at once.
     *
     * @throws LibvirtException when it was not there any more, or libvirt could not
     */
    public void destroy() throws LibvirtException {
        Call.DESTROY.number(pointer);
    }

    /**
     * {@return whether it is defined for good}
     *
     * @throws LibvirtException when the daemon does not say
     */
    public boolean isPersistent() throws LibvirtException {
        return Call.IS_PERSISTENT.number(pointer) == 1;
    }

    /**
     * Forgets a domain that was defined for good; its files stay.
     *
     * @param metadata whether what libvirt knows of its snapshots, and its managed save, goes too;
     *                 else a domain that has such things is not forgotten
     * @throws LibvirtException when the daemon refuses
     */
    public void undefine(boolean metadata) throws LibvirtException {
        if (isPersistent()) {
            Call.UNDEFINE.number(pointer, metadata ? WITH_METADATA : KEEP_NVRAM);
        }
    }

    /**
     * Sends a command to QEMU's monitor, which is libvirt's.
     *
     * @param command an object of JSON without an id
     * @return the answer, an object of JSON with libvirt's id
     * @throws LibvirtException when libvirt did not send it, or QEMU is gone
     */
    public String monitor(String command) throws LibvirtException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment answer = arena.allocate(ValueLayout.ADDRESS);
            Call.MONITOR.number(pointer, arena.allocateFrom(command), answer, 0);
            return Libvirt.take(answer.get(ValueLayout.ADDRESS, 0));
        }
    }

    /**
     * Begins to receive the events of its monitor, until this is closed.
     *
     * @param events receives them
     * @throws LibvirtException when the daemon refuses
     */
    public synchronized void listen(Events events) throws LibvirtException {
        listener = NEXT.getAndIncrement();
        LISTENERS.put(listener, events);
        registration = Call.MONITOR_EVENTS.number(connection.pointer(), pointer,
                MemorySegment.NULL, upcall(), MemorySegment.ofAddress(listener),
                MemorySegment.NULL, 0);
    }

    private static synchronized MemorySegment upcall() {
        if (upcall == null) {
            upcall = Libvirt.upcall(LibvirtDomain.class, "onEvent", Libvirt.eventShape());
        }
        return upcall;
    }

    /**
     * Connection, domain, event, seconds, microseconds, details and listener. An exception here
     * would end the process: what comes is handed on and nothing else.
     */
    private static void onEvent(Object... event) {
        MemorySegment name = (MemorySegment) event[2];
        MemorySegment details = (MemorySegment) event[5];
        MemorySegment listener = (MemorySegment) event[6];
        Events events = LISTENERS.get(listener.address());
        if (events != null) {
            try {
                events.on(Libvirt.text(name),
                        details.address() == 0 ? "" : Libvirt.text(details));
            } catch (RuntimeException e) {
                Thread.currentThread().getUncaughtExceptionHandler()
                        .uncaughtException(Thread.currentThread(), e);
            }
        }
    }

    /** Lets go of it. Idempotent. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        LISTENERS.remove(listener);
        try {
            if (registration >= 0) {
                Call.NO_MONITOR_EVENTS.number(connection.pointer(), registration);
            }
        } catch (LibvirtException e) {
            // With a daemon that is gone the registration is gone, too.
        } finally {
            free();
        }
    }

    private void free() {
        try {
            Call.FREE.number(pointer);
        } catch (LibvirtException e) {
            return; // there is nothing that could be done
        }
    }
}
