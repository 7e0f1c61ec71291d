package io.pageferry.agent.guest.disk;

import io.pageferry.agent.guest.GuestSetup.Freezing;
import io.pageferry.agent.host.disk.freeze.Freezer;
import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.DeviceNumber;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Freezes the file systems on disks that are written while they move. What can take long, the
 * command that stops who writes and writing what is dirty, is done on a thread of its own before.
 * A guard thaws where this process is gone or takes too long, until they are kept. One thread.
 */
final class HotFreeze implements WriterFreeze {
    /** For writing what is dirty: nothing stands still meanwhile. */
    private static final Duration SYNC = Duration.ofMinutes(10);
    private static final String LATER = "move it again; nothing was lost";

    private final BlockDevices host;
    private final List<DeviceNumber> disks;
    private final Freezing freezing;
    private final Duration limit;
    /** Whether the command was run: once is enough. */
    private boolean quiesced;
    private CompletableFuture<Freezer> ready;
    private Freezer freezer;
    private boolean kept;

    private HotFreeze(BlockDevices host, List<DeviceNumber> disks, Freezing freezing,
            Duration limit) {
        this.host = host;
        this.disks = disks;
        this.freezing = freezing;
        this.limit = limit;
    }

    /**
     * Looks whether everything on the disks can be frozen. Nothing is.
     *
     * @param host     has the disks
     * @param disks    or partitions
     * @param freezing how
     * @param limit    longest wait for freezing
     * @throws GuestException when something cannot; says what to do
     */
    static HotFreeze of(BlockDevices host, List<DeviceNumber> disks, Freezing freezing,
            Duration limit) throws GuestException {
        if (freezing == null) {
            throw refused("nobody would thaw a disk for this process", "use pageferry migrate");
        }
        requireFreezable(host, disks);
        return new HotFreeze(host, disks, freezing, limit);
    }

    /**
     * Looks whether everything on disks can be frozen. Nothing is.
     *
     * @throws GuestException when something cannot; says what to do
     */
    static void requireFreezable(BlockDevices host, List<DeviceNumber> disks)
            throws GuestException {
        try (Freezer looked = Freezer.open(host, disks)) {
            if (!looked.unfreezable().isEmpty()) {
                String swap = looked.unfreezable().getFirst();
                throw refused(swap + " is on a disk that is moved, and is written past every"
                        + " freeze", "swapoff -a, and move it then");
            }
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw refused(e.getMessage(), "or unmount it and move it cold");
        }
    }

    @Override
    public boolean isNeeded() {
        return true;
    }

    @Override
    public boolean holds(Path folder) throws GuestException {
        try {
            return Freezer.freezes(host, disks, folder);
        } catch (IOException e) {
            throw refused(e.getMessage(), "");
        }
    }

    @Override
    public boolean isReady() throws GuestException {
        if (ready == null) {
            boolean first = !quiesced;
            quiesced = true;
            ready = CompletableFuture.supplyAsync(() -> prepare(first, true),
                    task -> Thread.ofPlatform().daemon().name("prepare").start(task));
        }
        if (!ready.isDone()) {
            return false;
        }
        if (freezer == null) {
            freezer = joined();
        }
        return true;
    }

    private Freezer joined() throws GuestException {
        try {
            return ready.join();
        } catch (CompletionException e) {
            ready = null;
            throw failed(e.getCause().getMessage(), LATER);
        }
    }

    private Freezer prepare(boolean first, boolean syncs) {
        Freezer opened = null;
        boolean done = false;
        try {
            if (first && freezing.quiesce() != null) {
                QuiesceCommand.run(freezing.quiesce());
            }
            opened = Freezer.open(host, disks);
            if (syncs) {
                opened.sync(System.nanoTime() + SYNC.toNanos());
            }
            done = true;
            return opened;
        } catch (IOException e) {
            throw new CompletionException(e);
        } finally {
            if (!done) {
                closeQuietly(opened);
            }
        }
    }

    @Override
    public void freeze() throws GuestException {
        if (ready == null) {
            // Paused before the first round: freezing writes what is dirty.
            ready = CompletableFuture.completedFuture(null)
                    .thenApply(any -> prepare(!quiesced, false));
            quiesced = true;
        }
        if (freezer == null) {
            freezer = joined();
        }
        boolean frozen = false;
        try {
            freezing.guard().holdFrozen(freezer.record(freezing.longest()).text());
            freezer.freeze(System.nanoTime() + limit.toNanos());
            frozen = true;
        } catch (IOException e) {
            throw failed(e.getMessage(), LATER);
        } finally {
            if (!frozen) {
                close();
            }
        }
    }

    @Override
    public void requireFrozen() throws GuestException {
        try {
            freezer.requireFrozen(System.nanoTime() + limit.toNanos());
        } catch (IOException e) {
            throw failed(e.getMessage(), LATER);
        }
    }

    @Override
    public void keep() throws GuestException {
        try {
            freezing.guard().keepFrozen();
        } catch (IOException e) {
            throw failed(e.getMessage(), LATER);
        }
        kept = true;
        requireFrozen();
    }

    @Override
    public void thaw() throws GuestException {
        if (freezer == null) {
            return;
        }
        try {
            freezer.thaw();
        } catch (IOException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED, e.getMessage(), byHand())
                    .retryable();
        }
        kept = false;
        letGo();
    }

    @Override
    public String byHand() {
        StringBuilder commands = new StringBuilder();
        for (Path point : freezer == null ? List.<Path>of() : freezer.mountPoints().reversed()) {
            commands.append(commands.isEmpty() ? "" : "; ").append("fsfreeze -u ").append(point);
        }
        return commands.toString();
    }

    private void letGo() {
        closeQuietly(freezer);
        freezer = null;
        ready = null;
        try {
            freezing.guard().releaseFrozen();
        } catch (IOException e) {
            // It thaws again what is thawed: no harm.
            return;
        }
    }

    @Override
    public void close() {
        if (freezer == null && ready != null) {
            ready.whenComplete((opened, failure) -> closeQuietly(opened));
        } else if (freezer != null && kept) {
            leave();
        } else if (freezer != null) {
            letGo();
        }
    }

    private void leave() {
        try {
            freezer.leave();
        } catch (IOException e) {
            // What is frozen stays so; its descriptors go with this process.
            return;
        } finally {
            freezer = null;
        }
    }

    private static void closeQuietly(Freezer one) {
        try {
            if (one != null) {
                one.close();
            }
        } catch (IOException e) {
            // What hangs is thawed by itself once it does not.
            return;
        }
    }

    private static GuestException refused(String what, String remedy) {
        return new GuestException(ErrorCode.HOST_FAILED, what, remedy);
    }

    private static GuestException failed(String what, String remedy) {
        return new GuestException(ErrorCode.GUEST_FAILED, what, remedy);
    }
}
