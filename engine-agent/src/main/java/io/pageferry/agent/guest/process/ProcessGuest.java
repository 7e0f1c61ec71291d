package io.pageferry.agent.guest.process;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.userfault.UserfaultTracker;
import io.pageferry.agent.host.memory.HostFiles;
import io.pageferry.agent.host.memory.RegionFiles;
import io.pageferry.agent.host.process.PausedCheck;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.ScanTracker;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A running process at the source. Nothing in it is changed before the tracker starts, and nothing
 * but its tracking before it is paused.
 */
final class ProcessGuest implements SourceGuest {

    /** The files of so many regions are sent, so that a target does not write into them. */
    private static final int MAX_FILES = 200;

    /** How late it is seen that the process ended or was let go by another process. */
    private static final long LOOK_NANOS = 10_000_000;

    /** Looks for other writers take this part of the time at most: 1 of 50. */
    private static final long WRITERS_PART = 50;

    private final PausedProcess process;
    private final SharedMappings mappings;
    private final RegionFiles regions;
    private final Freezer freezer;
    private final DirtyTracker tracker;
    /** What the tracker has of the kernel; empty where contents are compared. */
    private final Optional<UserfaultTracker> userfault;
    /** Whether its memory may be written without a sign, so that contents are compared. */
    private final boolean deaf;
    private final After after;
    private final GuestSetup.Injector injector;
    /** Made before anything is paused, as it cannot change: a move of other mappings fails. */
    private final byte[] state;
    private PausedCheck pausedCheck = PausedCheck.none();
    private boolean held;
    private boolean saved;
    private boolean stoodStill;
    private boolean ending;
    private boolean alive = true;
    private boolean paused;
    private boolean resumedExternally;
    private long aliveNanos;
    private long holdNanos;
    private long writersNanos;

    private ProcessGuest(PausedProcess process, Inspection inspection, GuestSetup setup)
            throws IOException {
        this.process = process;
        this.freezer = inspection.freezer();
        this.after = setup.after();
        this.injector = setup.injector();
        this.mappings = inspection.takeMappings();
        this.state = MappingState.of(process, mappings);
        this.regions = mappings.map();
        this.userfault = process.tree() ? Optional.empty()
                : Optional.of(UserfaultTracker.ofForking(process.pid(),
                        () -> setup.injector().userfaultOfForking(process.pid()), mappings.ranges())
                        .within(regions));
        this.deaf = inspection.isWrittenByDescriptor();
        this.tracker = userfault.<DirtyTracker>map(stores -> regions.watched(stores, deaf))
                .orElseGet(() -> new ScanTracker(regions));
        long now = System.nanoTime();
        this.aliveNanos = now;
        this.holdNanos = now;
        this.writersNanos = now;
    }

    static ProcessGuest open(GuestUri uri, GuestSetup setup) throws GuestException {
        boolean scan = setup.tracker() == TrackerChoice.SCAN;
        if (!List.of(TrackerChoice.AUTO, TrackerChoice.USERFAULTFD, TrackerChoice.SCAN)
                .contains(setup.tracker())) {
            throw new IllegalArgumentException("--tracker " + setup.tracker().label()
                    + " cannot follow a process: there are auto, userfaultfd and scan");
        }
        PausedProcess process = PausedProcess.find(uri, scan);
        try (Inspection found = Inspection.of(process, uri.parameters().get(ProcessKind.MAP))) {
            found.require(scan);
            return new ProcessGuest(process, found, setup);
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "cannot map the memory of process "
                    + process.pid() + ": " + e.getMessage(), "run as root");
        }
    }

    @Override
    public GuestDescription describe() {
        Map<String, String> attributes = new TreeMap<>();
        mappings.parts().stream().limit(MAX_FILES).forEach(part -> HostFiles.put(attributes,
                part.name(), part.views().getFirst().file()));
        return new GuestDescription(ProcessKind.SCHEME, process.command(), regions.regions(),
                regions.dataBytes(), attributes);
    }

    @Override
    public PageSource memory() {
        return regions;
    }

    @Override
    public DirtyTracker tracker() {
        return tracker;
    }

    @Override
    public String trackerReason() {
        return process.tree() ? "it compares what the memory holds with what was sent, whoever of "
                + process.command() + " and its descendants writes it"
                : "it sees every write of " + process.command() + " from outside";
    }

    @Override
    public boolean isRunning() throws GuestException {
        try {
            boolean still = Freezer.standsStill(process);
            stoodStill = still && !held;
            return process.isAlive() && !still;
        } catch (IOException e) {
            throw failed("cannot be looked at", e);
        }
    }

    @Override
    public Optional<String> ended() {
        long now = System.nanoTime();
        if (alive && now - aliveNanos >= LOOK_NANOS) {
            aliveNanos = now;
            alive = process.isAlive();
            hearForks();
        }
        return alive || ending ? Optional.empty()
                : Optional.of("process " + process.pid() + " ended");
    }

    /** A fork waits until it was read here; requireUnchanged decides what follows. */
    private void hearForks() {
        try {
            hasForked();
        } catch (IOException e) {
            // Reported when it is asked again.
            return;
        }
    }

    @FunctionalInterface
    private interface Check {
        void run() throws IOException;
    }

    @Override
    public void requireUnchanged() throws GuestException {
        look(() -> {
            requireSameMappings();
            long now = System.nanoTime();
            if (now - writersNanos >= 0) {
                requireKnownWriters();
                long took = System.nanoTime() - now;
                writersNanos = now + took * WRITERS_PART;
            }
        });
    }

    @Override
    public void requireUnchangedPaused() throws GuestException {
        look(() -> {
            pausedCheck.await();
            requireSameMappings();
        });
    }

    private void look(Check check) throws GuestException {
        try {
            check.run();
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            if (!process.isAlive()) {
                throw over();
            }
            throw failed("cannot be looked at", e);
        }
    }

    private void requireSameMappings() throws IOException {
        requireNoFork();
        String change = mappings.change();
        if (change != null && isEnding()) {
            throw over();
        }
        if (change != null) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "the shared mappings of process "
                    + process.pid() + " changed while it moved: " + change,
                    "move again, or name the one that stays: ?map=/path");
        }
    }

    /** A process that ends loses all of its memory first. */
    private boolean isEnding() throws IOException {
        return ProcessMaps.of(process.pid()).isEmpty()
                && PausedProcess.awaitEnd(process.identified(Set.of(process.pid())));
    }

    private GuestException over() {
        return new GuestException(ErrorCode.GUEST_ENDED, "process " + process.pid() + " ended",
                "");
    }

    private boolean hasForked() throws IOException {
        return userfault.isPresent()
                && (userfault.get().hasForked() || injector.letForkGo());
    }

    private void requireNoFork() throws IOException {
        if (hasForked()) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "process " + process.pid()
                    + " forked while it moved, and the writes of its child are not tracked",
                    "move it with --tracker scan");
        }
    }

    private void requireKnownWriters() throws IOException {
        Set<Long> others = mappings.otherWriters(process.members());
        // Some may have been born since the members were listed.
        others.removeIf(process::owns);
        if (!others.isEmpty()) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "process "
                    + others.iterator().next() + " maps the memory of process " + process.pid()
                    + " for writing since a while", process.tree()
                    ? "end it, and move again" : "end it, or move with --tracker scan");
        }
    }

    @Override
    public void pause() throws GuestException {
        if (!process.isAlive()) {
            throw new GuestException(ErrorCode.GUEST_ENDED, "process " + process.pid()
                    + " ended", "");
        }
        try {
            // A process that stood still already is not ours to let go.
            if (!stoodStill || resumedExternally) {
                held = true;
                freezer.freeze(this::hearForks);
            }
            paused = true;
            resumedExternally = false;
            requireNoFork();
            pausedCheck = PausedCheck.start(() -> {
                requireKnownWriters();
                Inspection.requireSameFiles(process, mappings, deaf);
            });
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw failed("cannot be paused by the " + freezer.name(), e);
        }
    }

    @Override
    public void saveState(OutputStream out) throws IOException {
        saved = true;
        out.write(state);
    }

    @Override
    public boolean resumedExternally() {
        long now = System.nanoTime();
        if (paused && !ending && now - holdNanos >= LOOK_NANOS) {
            holdNanos = now;
            resumedExternally = process.isAlive() && !standsStill();
        }
        return resumedExternally;
    }

    private boolean standsStill() {
        try {
            return held ? freezer.holds() : Freezer.standsStill(process);
        } catch (IOException e) {
            return true;
        }
    }

    @Override
    public void resume() throws GuestException {
        try {
            paused = false;
            resumedExternally = false;
            if (held) {
                freezer.thaw();
                held = false;
            }
        } catch (IOException e) {
            throw failed("cannot be let go", e);
        }
    }

    @Override
    public void end() throws GuestException {
        ending = true;
        if (after == After.QUIT) {
            try {
                freezer.kill();
                held = false;
            } catch (IOException e) {
                throw failed("cannot be ended", e);
            }
        } else if (after == After.RESUME && held) {
            resume();
        }
    }

    @Override
    public Optional<String> keepWarning() {
        return Optional.of("process " + process.pid() + " stays frozen after the move; to let it"
                + " go on: " + freezer.byHand());
    }

    @Override
    public String identity() {
        return process.identity();
    }

    @Override
    public Map<String, String> recoveryAddress() {
        Map<String, String> recoveryAddress = process.recoveryAddress();
        freezer.putInto(recoveryAddress);
        return recoveryAddress;
    }

    @Override
    public void close() {
        tracker.close();
        regions.close();
        try {
            if (held && !saved && !process.isAlive()) {
                // It ended before anything could be granted: its descendants need not wait.
                resume();
            }
            if (!held || freezer.isOver()) {
                freezer.leave();
            }
        } catch (IOException e) {
            // An empty group, or one whose processes run: that does no harm.
            return;
        }
    }

    private GuestException failed(String what, IOException why) {
        return new GuestException(ErrorCode.GUEST_FAILED, "process " + process.pid() + " " + what
                + ": " + why.getMessage(), "by hand: " + freezer.byHand());
    }
}
