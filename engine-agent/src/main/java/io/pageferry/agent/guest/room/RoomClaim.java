package io.pageferry.agent.guest.room;

import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.FileStore;
import java.util.HashMap;
import java.util.Map;

/**
 * What one target was promised of its host's room. Looking and promising are one step. It holds
 * the most that was asked for of each place, less what has come since, until it is released. Any
 * thread.
 */
public final class RoomClaim {
    private static final Object MEMORY = "memory";

    private final HostRoom room;
    /** By {@link #MEMORY} or a file system; guarded by the room. */
    private final Map<Object, Long> promised = new HashMap<>();
    private long arrived;

    RoomClaim(HostRoom room) {
        this.room = room;
    }

    /**
     * What a file system has for this claim.
     *
     * @param bytes free, less what others were promised
     * @param words follow that number in a sentence: nothing, or what others were promised
     */
    public record Usable(long bytes, String words) { }

    /**
     * Promises memory of this process: the guest's data and a tenth more.
     *
     * @param dataBytes bytes of the guest that are not holes
     * @throws GuestException with NO_ROOM when they do not fit; nothing was promised
     */
    public void requireMemory(long dataBytes) throws GuestException {
        require(HostMemory.available(), dataBytes);
    }

    /**
     * Promises memory of this process, which is charged for what it receives, and of the one in
     * which the guest is going to run, likewise.
     *
     * @param dataBytes bytes of the guest that are not holes
     * @param pid       the guest's process
     * @throws GuestException with NO_ROOM when they do not fit; nothing was promised
     */
    public void requireMemory(long dataBytes, long pid) throws GuestException {
        require(HostMemory.available(pid), dataBytes);
    }

    void require(HostMemory available, long dataBytes) throws GuestException {
        synchronized (room) {
            available.less(room.promisedToOthers(this, MEMORY)).requireFor(dataBytes);
            promise(MEMORY, HostMemory.neededFor(dataBytes));
        }
    }

    /**
     * Promises room in a file system, where it has it.
     *
     * @param store the file system
     * @param bytes that are going to be written there
     * @return what it has; fewer bytes than were asked for: nothing was promised
     * @throws IOException when that cannot be told
     */
    public Usable take(FileStore store, long bytes) throws IOException {
        synchronized (room) {
            long others = room.promisedToOthers(this, store);
            long usable = Math.max(0, store.getUsableSpace() - others);
            if (bytes <= usable) {
                promise(store, bytes);
            }
            return new Usable(usable, HostMemory.promisedWords(others));
        }
    }

    private void promise(Object place, long bytes) {
        promised.merge(place, bytes, Long::max);
        room.add(this);
    }

    /**
     * Notes what has come: it is missing from what is free, and need not be promised any more. The
     * first round sends every page once, so that pages which come again do not matter.
     *
     * @param bytes of pages, since it was released last
     */
    public void arrived(long bytes) {
        synchronized (room) {
            arrived = bytes;
        }
    }

    /** Holds nothing any more. Idempotent. */
    public void release() {
        synchronized (room) {
            promised.clear();
            arrived = 0;
            room.remove(this);
        }
    }

    long outstanding(Object place) {
        return Math.max(0, promised.getOrDefault(place, 0L) - arrived);
    }
}
