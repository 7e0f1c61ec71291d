package io.pageferry.agent.guest.disk;

import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.host.disk.Disk;
import io.pageferry.agent.host.disk.DiskPages;
import io.pageferry.agent.host.disk.DiskSet;
import io.pageferry.agent.host.disk.ReadErrors;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.migration.GuestException;
import java.io.OutputStream;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Disks at the source. They do not run: what is moved is what stands on them once nobody writes.
 * They stay as they are here, and are the target's from the grant on.
 */
final class DiskGuest implements SourceGuest {
    /** Begins the keys of what is said of each disk; its number follows. */
    static final String SECTOR = "disk.sector.";

    private final HeldDisks held;
    private final DiskSet set;
    private final ReadErrors errors;
    private final DiskPages pages;
    private final DirtyTracker tracker;
    private final WriterFreeze freeze;

    /**
     * Makes the guest.
     *
     * @param held    its disks, closed with it
     * @param errors  what is done about what cannot be read
     * @param tracker of what is written to them, closed with it
     * @param freeze  stops who writes
     */
    DiskGuest(HeldDisks held, ReadErrors errors, DirtyTracker tracker, WriterFreeze freeze) {
        this.held = held;
        this.set = DiskSet.of(held.disks());
        this.errors = errors;
        this.pages = new DiskPages(set, errors);
        this.tracker = tracker;
        this.freeze = freeze;
    }

    @Override
    public GuestDescription describe() {
        Map<String, String> attributes = new HashMap<>();
        for (int i = 0; i < held.disks().size(); i++) {
            attributes.put(SECTOR + i, Integer.toString(held.disks().get(i).sectorBytes()));
        }
        return new GuestDescription(DiskKind.SCHEME, held.text(), set.regions(),
                held.disks().stream().mapToLong(Disk::size).sum(), attributes);
    }

    @Override
    public PageSource memory() {
        return pages;
    }

    @Override
    public DirtyTracker tracker() {
        return tracker;
    }

    @Override
    public String trackerReason() {
        return "nobody else writes to a disk that is held alone";
    }

    @Override
    public Optional<String> memoryAccess() {
        return Optional.of("direct");
    }

    @Override
    public boolean isRunning() {
        return false;
    }

    @Override
    public Optional<String> ended() {
        return Optional.empty();
    }

    @Override
    public void requireUnchanged() throws GuestException {
        String changed = held.changed();
        if (!changed.isEmpty()) {
            throw new GuestException(ErrorCode.GUEST_FAILED, changed
                    + " has another size than before, or is gone", "look at the device (dmesg)");
        }
    }

    @Override
    public void pause() throws GuestException {
        freeze.freeze();
    }

    @Override
    public void saveState(OutputStream out) {
        // A disk has no state but its bytes.
    }

    @Override
    public void resume() throws GuestException {
        freeze.thaw();
    }

    @Override
    public void end() {
        // It stays; whoever owns the other one decides what becomes of this one.
    }

    @Override
    public Optional<String> keepWarning() {
        return Optional.of(held.text() + " stays as it is here, and is the target's once it moved:"
                + " boot and mount only one of both");
    }

    @Override
    public String identity() {
        return held.identity();
    }

    @Override
    public Map<String, String> recoveryAddress() {
        return DiskHandle.address(held, false);
    }

    @Override
    public Optional<Unread> unread() {
        ReadErrors.Found found = errors.found();
        return found.pages() == 0 ? Optional.empty()
                : Optional.of(new Unread(found.pages(), found.places()));
    }

    @Override
    public void close() {
        tracker.close();
        pages.close();
        held.close();
    }
}
