package io.pageferry.agent.guest.workload;

import io.pageferry.agent.guest.GuestCheck;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.host.memory.MappedRegions;
import io.pageferry.agent.host.process.InProcess;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.GuestMemory;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.round.WriteThrottle;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.Optional;

/** An embedded guest at the source: it runs from construction on, and dies with its agent. */
final class WorkloadSource implements SourceGuest {
    private static final long FILL_SEED = 42;

    private final WorkloadSpec spec;
    private final MappedRegions regions;
    private final WorkloadTracking tracking;
    private final StampedMemory memory;
    private final WorkloadEngine engine;
    private boolean ended;

    WorkloadSource(WorkloadSpec spec, GuestSetup setup) throws GuestException {
        this.spec = spec;
        this.regions = Workload.memory(spec, MappedRegions::new);
        this.tracking = WorkloadTracking.choose(setup.tracker(), regions);
        this.memory = new StampedMemory(regions.window(0), spec.set(), tracking.marks());
        this.engine = new WorkloadEngine(memory, spec, FILL_SEED);
        memory.fill(spec.fill(), FILL_SEED);
        engine.start();
    }

    @Override
    public GuestDescription describe() {
        return new GuestDescription(Workload.SCHEME, "workload", regions.regions(),
                regions.dataBytes(), Map.of(
                        Workload.RATE, Long.toString(spec.bytesPerSecond()),
                        Workload.SET, Long.toString(spec.set())));
    }

    @Override
    public GuestMemory memory() {
        return regions;
    }

    @Override
    public DirtyTracker tracker() {
        return tracking.tracker();
    }

    @Override
    public String trackerReason() {
        return tracking.reason();
    }

    @Override
    public Optional<WriteThrottle> throttle() {
        return Optional.of(engine.writeGate());
    }

    @Override
    public boolean isRunning() {
        return !engine.isPaused();
    }

    @Override
    public Optional<String> ended() {
        return Optional.empty();
    }

    @Override
    public void pause() {
        engine.pause();
    }

    @Override
    public void saveState(OutputStream out) throws IOException {
        DataOutputStream data = new DataOutputStream(out);
        engine.save(data);
        data.flush();
    }

    @Override
    public void resume() {
        engine.resume();
    }

    @Override
    public void end() {
        ended = true;
    }

    @Override
    public String identity() {
        return Workload.SCHEME + ":" + InProcess.nameOf(this);
    }

    @Override
    public Map<String, String> recoveryAddress() {
        return Map.of();
    }

    @Override
    public Optional<GuestCheck> check() {
        GuestCheck ticks = new GuestCheck(engine.ticksHere(), null, null, null);
        // After a move the memory is the target's to check; here only what the writer met counts.
        return Optional.of(ended
                ? new GuestCheck(ticks.ticksSource(), null, null, engine.failures())
                : Workload.check(ticks, memory, engine));
    }

    @Override
    public void close() {
        engine.close();
        tracking.tracker().close();
        regions.close();
    }
}
