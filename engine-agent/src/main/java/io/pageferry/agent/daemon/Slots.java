package io.pageferry.agent.daemon;

import io.pageferry.agent.daemon.CallException.Why;
import io.pageferry.agent.daemon.store.KeptSlots;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.session.GuestFactory;
import io.pageferry.agent.session.ReceiveSettings;
import io.pageferry.agent.session.TargetHost;
import io.pageferry.agent.session.TargetSlotHandle;
import io.pageferry.agent.session.inbox.SlotState;
import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.SlotName;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListMap;

/** The places of this host that wait for guests, by name. Safe for any thread. */
public final class Slots {
    private final Parts parts;
    /** Changed by one thread at a time, which may wait for a guest; read by any. */
    private final Map<String, Slot> slots = new ConcurrentSkipListMap<>();
    /** Those that an agent before had, and that could not be opened here. */
    private final Map<String, Closed> closed = new ConcurrentSkipListMap<>();

    /** A slot that is kept and not open; busy where a recovery has its guest at the moment. */
    private record Closed(String guest, boolean busy) {
        View view(String name) {
            return new View(name, guest, SlotState.CLOSED.label(), Optional.empty());
        }
    }

    /**
     * What the slots work with.
     *
     * @param guests     as callers name them
     * @param migrations is told what comes
     * @param settings   of the daemon
     * @param host       takes guests in
     * @param kept       has them over a restart
     * @param log        gets what concerns no migration
     */
    record Parts(Guests guests, Migrations migrations,
            DaemonSettings settings, TargetHost host, KeptSlots kept, MigrationListener log) { }

    /**
     * A slot as it is now.
     *
     * @param name      of it
     * @param guest     what it waits for, as the caller named it
     * @param state     waiting, receiving, full or closed
     * @param migration that comes in or came in, if any
     */
    public record View(String name, String guest, String state, Optional<UUID> migration) { }

    private record Slot(String guest, TargetSlotHandle place, Arrivals arrivals) {
        View view(String name) {
            return new View(name, guest, place.state().label(),
                    place.migration().or(arrivals::last));
        }
    }

    Slots(Parts parts) {
        this.parts = parts;
    }

    /**
     * Opens those again that an agent before had. One that cannot be is listed as closed, until it
     * is PUT or deleted.
     */
    synchronized void restore() {
        parts.kept().all().forEach(this::restore);
    }

    /** Tries those again whose guests were busy: what an agent before began is finished first. */
    synchronized void restoreBusy() {
        if (parts.migrations().isStopping()) {
            return;
        }
        List.copyOf(closed.entrySet()).stream().filter(one -> one.getValue().busy())
                .forEach(one -> restore(one.getKey(), one.getValue().guest()));
    }

    private void restore(String name, String guest) {
        try {
            open(name, guest, parts.guests().find(guest));
        } catch (CallException e) {
            boolean busy = e.getCause() instanceof GuestException known
                    && known.code() == ErrorCode.BUSY;
            if (closed.put(name, new Closed(guest, busy)) == null) {
                parts.log().on(MigrationEvent.warn("slot " + name + " of guest " + guest
                        + " is closed: " + e.getMessage() + (busy ? "; it is tried again"
                        : "; PUT it again")));
            }
        }
    }

    /** {@return all of them, by name} */
    public List<View> all() {
        Map<String, View> views = new TreeMap<>();
        closed.forEach((name, slot) -> views.put(name, slot.view(name)));
        slots.forEach((name, slot) -> views.put(name, slot.view(name)));
        return List.copyOf(views.values());
    }

    /**
     * Finds one.
     *
     * @param name of it
     * @return it, or empty
     */
    public Optional<View> find(String name) {
        return Optional.ofNullable(slots.get(name)).map(slot -> slot.view(name))
                .or(() -> Optional.ofNullable(closed.get(name)).map(slot -> slot.view(name)));
    }

    /**
     * Has a slot wait for a guest.
     *
     * @param name  of the slot
     * @param guest a workload: or a name of the address book: paths are for the operator of this
     *              host to say
     * @return whether the slot is new; one that is there and waits for another guest is replaced
     * @throws CallException where it is refused
     */
    public synchronized boolean put(String name, String guest) {
        if (!SlotName.isValid(name)) {
            throw new CallException(Why.USAGE, "'" + name + "' is no name of a slot",
                    "use 1 to " + SlotName.MAX_LENGTH
                    + " of a-z, 0-9, dot, underscore and hyphen");
        }
        if (parts.migrations().isStopping()) {
            throw new CallException(Why.STOPPING, "the agent is ending", "ask the next one");
        }
        Slot before = slots.get(name);
        // A slot may have ended by itself, as where its QEMU is gone: then it is opened anew.
        if (before != null && before.guest().equals(guest)
                && before.place().state() != SlotState.CLOSED) {
            return false;
        }
        GuestUri uri = parts.guests().named(guest);
        if (before != null) {
            requireWaiting(name, before);
            forgetSurely(name);
            before.place().close();
            slots.remove(name);
        }
        open(name, guest, uri);
        keep(name, guest);
        return before == null;
    }

    /** One that is not kept is not there: nobody would know why it is gone after a restart. */
    private void keep(String name, String guest) {
        try {
            parts.kept().put(name, guest);
        } catch (IOException e) {
            slots.remove(name).place().close();
            throw unwritten(e);
        }
    }

    private static CallException unwritten(IOException e) {
        return new CallException(Why.HOST_FAILED, "the slots cannot be written down: "
                + e.getMessage(), "look at the state directory");
    }

    private void open(String name, String guest, GuestUri uri) {
        // A guest that lives in the agent is gone with it, and its place waits again.
        Arrivals arrivals = new Arrivals(name, guest, parts.migrations(), () -> {
            if (!uri.scheme().equals(Guests.EMBEDDED)) {
                forget(name);
            }
        });
        try {
            TargetSlotHandle place = parts.host().add(name, new ReceiveSettings(
                    GuestFactory.target(uri).inWarmProcess(), parts.settings().listen(), false,
                    false, TargetOptions.defaults(), parts.settings().stateDirectory(), 0, null,
                    null), arrivals, arrivals::onEnd);
            arrivals.from(place);
            slots.put(name, new Slot(guest, place, arrivals));
            closed.remove(name);
        } catch (IOException e) {
            CallException refused = new CallException(Why.CONFLICT, "the slot cannot be opened: "
                    + e.getMessage(), e instanceof GuestException known ? known.remedy()
                            : "look at the state directory");
            refused.initCause(e);
            throw refused;
        } catch (IllegalArgumentException e) {
            throw new CallException(Why.USAGE, e.getMessage(), "look at the guest's URI");
        }
    }

    private static void requireWaiting(String name, Slot slot) {
        SlotState state = slot.place().state();
        if (state == SlotState.RECEIVING || state == SlotState.FULL) {
            throw new CallException(Why.CONFLICT, "slot " + name + " is " + state.label()
                    + ", of " + slot.guest(), "delete it first, or use another name");
        }
    }

    /**
     * Ends a slot, and the embedded guest that arrived there; one that comes in is cancelled.
     *
     * @param name of the slot
     * @throws CallException where there is none
     */
    public void delete(String name) {
        Slot slot;
        synchronized (this) {
            forgetSurely(name);
            slot = slots.remove(name);
            if (closed.remove(name) == null && slot == null) {
                throw new CallException(Why.NOT_FOUND, "there is no slot " + name,
                        "GET /v1/slots lists them");
            }
        }
        if (slot != null) {
            slot.place().close();
        }
    }

    /** A guest is there that outlives this agent: its place waits for none after a restart. */
    private void forget(String name) {
        try {
            forgetSurely(name);
        } catch (CallException e) {
            parts.log().on(MigrationEvent.warn(e.getMessage()));
        }
    }

    private void forgetSurely(String name) {
        try {
            parts.kept().remove(name);
        } catch (IOException e) {
            throw unwritten(e);
        }
    }

    /** Cancels a migration that comes in; returns whether it does. */
    boolean cancel(UUID migration) {
        Optional<Slot> slot = slots.values().stream().filter(one -> one.place().migration()
                .filter(migration::equals).isPresent()).findFirst();
        slot.ifPresent(one -> one.place().cancel());
        return slot.isPresent();
    }

    /** Ends all of them. */
    void close() {
        Collection<Slot> all = List.copyOf(slots.values());
        slots.clear();
        all.forEach(slot -> slot.place().close());
    }
}
