package io.pageferry.agent.guest.disk;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.host.disk.Disk;
import io.pageferry.agent.host.disk.DiskPages;
import io.pageferry.agent.host.disk.DiskSet;
import io.pageferry.agent.host.disk.ReadErrors;
import io.pageferry.agent.host.disk.nbd.NbdDisk;
import io.pageferry.agent.host.disk.shared.SharedPages;
import io.pageferry.agent.host.disk.shared.SharedReader;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.migration.GuestException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Disks at the source. What is moved is what stands on them once nobody writes: the file systems
 * that are mounted from them run, and are paused by freezing them. The disks stay here as they are
 * then, and are the target's from the grant on.
 */
final class DiskGuest implements SourceGuest {
    /** Begins the keys of what is said of each disk; its number follows. */
    static final String SECTOR = "disk.sector.";

    private final HeldDisks held;
    private final Reading reading;
    private final DirtyTracker tracker;
    private final WriterFreeze freeze;
    private final DiskEnd end;
    /** Gets what is written to disks that stand still; empty where nobody could. */
    private final Optional<DirtyBitmap> written;

    /**
     * How disks are read.
     *
     * @param pages  of them
     * @param errors what is done about what cannot be read
     * @param end    closes the disks, and what they are read by; idempotent
     * @param copy   number of the copy that is made of them; 0 for the first, or only one
     * @param copies how many are made
     */
    record Reading(PageSource pages, ReadErrors errors, Runnable end, int copy, int copies) { }

    /**
     * Makes the guest.
     *
     * @param disks   its disks
     * @param reading how they are read; ended with it
     * @param end     what becomes of them
     */
    DiskGuest(SourceDisks disks, Reading reading, DiskEnd end) {
        this.held = disks.held();
        this.reading = reading;
        this.tracker = disks.tracker();
        this.freeze = disks.freeze();
        this.end = end;
        this.written = freeze.isNeeded()
                ? Optional.of(new DirtyBitmap(reading.pages().regions().pageCount()))
                : Optional.empty();
    }

    /** The one guest of some disks, which it closes. */
    static DiskGuest of(SourceDisks disks, ReadErrors errors, DiskEnd end) {
        DiskPages pages = new DiskPages(DiskSet.of(disks.held().disks()), errors);
        return new DiskGuest(disks, new Reading(pages, errors, () -> end(pages, disks), 0, 1),
                end);
    }

    /** Several guests of disks that nobody writes to, which the last of them closes. */
    static List<SourceGuest> copies(SourceDisks disks, ReadErrors errors, DiskEnd end,
            int copies) {
        DiskPages pages = new DiskPages(DiskSet.of(disks.held().disks()), errors);
        List<SharedReader> readers = new SharedPages(pages, copies, () -> end(pages, disks),
                System::nanoTime).readers();
        return IntStream.range(0, copies).<SourceGuest>mapToObj(i -> new DiskGuest(disks,
                new Reading(readers.get(i), errors, readers.get(i)::close, i, copies), end))
                .toList();
    }

    private static void end(DiskPages pages, SourceDisks disks) {
        pages.close();
        disks.close();
    }

    @Override
    public GuestDescription describe() {
        Map<String, String> attributes = new HashMap<>();
        for (int i = 0; i < held.disks().size(); i++) {
            attributes.put(SECTOR + i, Integer.toString(held.disks().get(i).sectorBytes()));
        }
        return new GuestDescription(DiskKind.SCHEME, held.text(),
                reading.pages().regions(),
                held.disks().stream().mapToLong(Disk::size).sum(), attributes);
    }

    @Override
    public PageSource memory() {
        return reading.pages();
    }

    @Override
    public DirtyTracker tracker() {
        return tracker;
    }

    @Override
    public String trackerReason() {
        if (freeze.isNeeded()) {
            return "it sees what is written to a disk that is mounted, whoever writes it";
        }
        return held.disks().stream().anyMatch(NbdDisk.class::isInstance)
                ? "nobody is to write to an export meanwhile, and nothing but its server keeps"
                + " others from it" : "nobody else writes to a disk that is held alone";
    }

    @Override
    public Optional<String> memoryAccess() {
        return Optional.of("direct");
    }

    @Override
    public boolean isRunning() {
        return freeze.isNeeded();
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
    public boolean freezes(Path folder) throws GuestException {
        return freeze.holds(folder);
    }

    @Override
    public boolean readyToPause() throws GuestException {
        return freeze.isReady();
    }

    @Override
    public void pause() throws GuestException {
        freeze.freeze();
    }

    @Override
    public void requireUnchangedPaused() throws GuestException {
        requireUnchanged();
        freeze.requireFrozen();
        requireNothingWritten();
    }

    @Override
    public void keepPaused() throws GuestException {
        freeze.keep();
        requireNothingWritten();
    }

    /** By what no file system knows of: swap, a program that writes to a device itself. */
    private void requireNothingWritten() throws GuestException {
        if (written.isEmpty()) {
            return;
        }
        try {
            tracker.harvest(written.get());
        } catch (TrackerException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED, e.getMessage(), "move it again");
        }
        if (!written.get().isEmpty()) {
            throw new GuestException(ErrorCode.GUEST_FAILED, held.text() + " was written while its"
                    + " file systems were frozen: by a program that writes to the device itself,"
                    + " or into a file system that cannot be frozen (vfat)",
                    "end that program, or unmount it, and move again");
        }
    }

    @Override
    public void saveState(OutputStream out) {
        // A disk has no state but its bytes.
    }

    @Override
    public void resume() throws GuestException {
        freeze.thaw();
    }

    /** It stays; whoever owns the other one decides what becomes of this one. */
    @Override
    public void end() throws GuestException {
        end.of(freeze);
    }

    @Override
    public Optional<String> keepWarning() {
        if (reading.copies() > 1) {
            return reading.copy() > 0 ? Optional.empty() : Optional.of(held.text() + " stays this"
                    + " host's, and each target gets a copy of it, with the same file systems:"
                    + " boot and mount only one of all");
        }
        return Optional.of(held.text() + " stays as it is here" + (freeze.isNeeded()
                ? ", its file systems frozen," : ",") + " and is the target's once it moved:"
                + " boot and mount only one of both");
    }

    @Override
    public Optional<String> leftHere() {
        if (end.after() == After.POWEROFF) {
            return Optional.of("what is mounted from " + held.text() + " stays frozen, and this"
                    + " machine is powered off once the other one is known to run");
        }
        String byHand = freeze.byHand();
        return byHand.isEmpty() ? Optional.empty() : Optional.of("frozen here, and whoever writes"
                + " there waits: power this machine off (echo o > /proc/sysrq-trigger), or give"
                + " up the other one and thaw: " + byHand);
    }

    /** Each copy is a migration of its own; who else would move the disk is excluded by one. */
    @Override
    public String identity() {
        return held.identity() + (reading.copy() == 0 ? "" : "#" + reading.copy());
    }

    @Override
    public Map<String, String> recoveryAddress() {
        return DiskHandle.address(held, false, freeze.isNeeded());
    }

    @Override
    public Optional<Unread> unread() {
        ReadErrors.Found found = reading.errors().found();
        return found.pages() == 0 ? Optional.empty()
                : Optional.of(new Unread(found.pages(), found.places()));
    }

    @Override
    public void close() {
        reading.end().run();
        written.ifPresent(DirtyBitmap::close);
    }
}
