package io.pageferry.agent.daemon;

import io.pageferry.agent.daemon.CallException.Why;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.session.GuestFactory;
import io.pageferry.agent.session.ReceiveSettings;
import io.pageferry.agent.session.TargetHost;
import io.pageferry.agent.session.TargetSlotHandle;
import io.pageferry.agent.session.inbox.SlotState;
import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Function;
import java.util.regex.Pattern;

/** The places of this host that wait for guests, by name. Safe for any thread. */
public final class Slots {
    private static final Pattern NAME = Pattern.compile("[a-z0-9._-]{1,64}");
    private static final String EMBEDDED = "workload";

    private final Function<String, GuestUri> guests;
    private final Migrations migrations;
    private final Path stateDirectory;
    private final Listener listen;
    private final TargetHost host;
    /** Changed by one thread at a time, which may wait for a guest; read by any. */
    private final Map<String, Slot> slots = new ConcurrentSkipListMap<>();

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

    Slots(Function<String, GuestUri> guests, Migrations migrations, Path stateDirectory,
            Listener listen, TargetHost host) {
        this.guests = guests;
        this.migrations = migrations;
        this.stateDirectory = stateDirectory;
        this.listen = listen;
        this.host = host;
    }

    /** {@return all of them, by name} */
    public List<View> all() {
        return slots.entrySet().stream().map(slot -> slot.getValue().view(slot.getKey())).toList();
    }

    /**
     * Finds one.
     *
     * @param name of it
     * @return it, or empty
     */
    public Optional<View> find(String name) {
        return Optional.ofNullable(slots.get(name)).map(slot -> slot.view(name));
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
        if (!NAME.matcher(name).matches()) {
            throw new CallException(Why.USAGE, "'" + name + "' is no name of a slot",
                    "use 1 to 64 of a-z, 0-9, dot, underscore and hyphen");
        }
        if (migrations.isStopping()) {
            throw new CallException(Why.STOPPING, "the agent is ending", "ask the next one");
        }
        Slot before = slots.get(name);
        if (before != null && before.guest().equals(guest)) {
            return false;
        }
        GuestUri uri = guests.apply(guest);
        if (uri.text().equals(guest) && !uri.scheme().equals(EMBEDDED)) {
            throw new CallException(Why.FORBIDDEN, "a slot for " + guest + " would have a caller"
                    + " name files and sockets of this host", "have its operator name that guest"
                    + " in the address book, and use the name");
        }
        if (before != null) {
            requireWaiting(name, before);
            before.place().close();
            slots.remove(name);
        }
        open(name, guest, uri);
        return before == null;
    }

    private void open(String name, String guest, GuestUri uri) {
        Arrivals arrivals = new Arrivals(name, guest, migrations);
        try {
            TargetSlotHandle place = host.add(name, new ReceiveSettings(
                    GuestFactory.target(uri).inWarmProcess(), listen, false, false,
                    TargetOptions.defaults(), stateDirectory, 0, null, null), arrivals,
                    arrivals::onEnd);
            arrivals.from(place);
            slots.put(name, new Slot(guest, place, arrivals));
        } catch (IOException e) {
            throw new CallException(Why.CONFLICT, "the slot cannot be opened: " + e.getMessage(),
                    e instanceof GuestException known ? known.remedy()
                            : "look at the state directory");
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
        Slot slot = slots.remove(name);
        if (slot == null) {
            throw new CallException(Why.NOT_FOUND, "there is no slot " + name,
                    "GET /v1/slots lists them");
        }
        slot.place().close();
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
