package io.pageferry.core.testing;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.incoming.TargetMigration;
import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.incoming.session.TargetParts;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.migration.IncomingGuest;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.outgoing.SourceMigration;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.SourceParts;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.MigrationLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.function.UnaryOperator;

/**
 * A whole migration, both sides and the guest's writer, in one thread and in an order drawn from
 * a seed. At each step it checks what must never be: two guests that run, a source that runs after
 * the target ran or while it is granted, a hole that was read.
 *
 * <p>Change what is to be different, then {@link #run}. A failure names the seed.
 */
public final class Harness implements AutoCloseable {
    private static final int MOST_STEPS = 200_000;
    private static final long LONG_STEP_NANOS = 10_000_000;

    private final long seed;
    private final Random random;
    private final EventLog log = new EventLog();
    private final ManualClock clock;
    private final TestGuest guest;
    private final TestIncomingGuest incoming;
    private final TestJournal sourceJournal = new TestJournal("source", log);
    private final TestJournal targetJournal = new TestJournal("target", log);
    private final RecordingListener sourceListener = new RecordingListener("source", log);
    private final RecordingListener targetListener = new RecordingListener("target", log);
    private final MemoryLinks links;
    private final LaterLinks later;
    private SourceOptions sourceOptions;
    private TargetOptions targetOptions;
    private UnaryOperator<SourceLink> bendSource = UnaryOperator.identity();
    private UnaryOperator<TargetLink> bendTarget = UnaryOperator.identity();
    private UnaryOperator<TestImage> bendImage = UnaryOperator.identity();
    private UnaryOperator<PageSource> bendMemory;
    private UnaryOperator<PageStore> bendStore;
    private Runnable eachStep = () -> { };
    private int writesAStep;
    private int writeBelow;
    private long mostStepNanos;
    private SourceMigration source;
    private TargetMigration target;
    private boolean targetRan;
    private long holesRead;

    /**
     * Both ends of a migration.
     *
     * @param source how it ended there
     * @param target how it ended there
     */
    public record Ends(Outcome source, Outcome target) { }

    /**
     * Makes a migration of which everything is drawn: regions, sizes, granules, contents, write
     * rate, policy, codec, channels, window.
     *
     * @param seed of all choices
     */
    public Harness(long seed) {
        this.seed = seed;
        this.random = new Random(seed);
        this.clock = new ManualClock(random.nextLong());
        RegionTable regions = regions(random, new Random(~seed));
        this.guest = new TestGuest(regions, seed, log);
        this.incoming = new TestIncomingGuest(
                table -> bendImage.apply(new TestImage(table)), log);
        this.links = MemoryLinks.shuffled(seed);
        this.later = new LaterLinks(random, links, targetJournal, () -> target);
        int pages = (int) regions.pageCount();
        writeBelow = 1 + random.nextInt(pages);
        guest.write(random.nextInt(3 * pages), writeBelow);
        guest.stateTakes(random.nextInt(4) == 0 ? random.nextInt(700_000) : 0, random.nextInt(4));
        writesAStep = random.nextInt(3) == 0 ? 0 : random.nextInt(4);
        mostStepNanos = 1 + random.nextInt(300_000);
        sourceOptions = SourceOptions.defaults().withLimits(limits(random))
                .withPages(Draws.codec(random), 1 + random.nextInt(3))
                .withDeltaCache(Draws.deltaCache(random))
                .withWindows(0, 30_000_000_000L);
        targetOptions = new TargetOptions(1 + random.nextInt(4), 10_000_000_000L,
                30_000_000_000L, 1 + random.nextInt(3), 0);
    }

    private static RegionTable regions(Random random, Random granules) {
        List<Region> regions = new ArrayList<>();
        int count = 1 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            long pages = 1 + random.nextInt(150);
            regions.add(new Region(i, "ram" + i, i * (1L << 32),
                    PageGeometry.bytesOf(pages), granules.nextBoolean() ? PageGeometry.PAGE_SIZE
                            : PageGeometry.PAGE_SIZE << 1 + granules.nextInt(6)));
        }
        return new RegionTable(regions);
    }

    private static MigrationLimits limits(Random random) {
        MigrationLimits.Policy policy = random.nextBoolean()
                ? MigrationLimits.Policy.KVM_CLASSIC : MigrationLimits.Policy.DOWNTIME_BUDGET;
        return new MigrationLimits(policy, (61 + random.nextInt(100)) * 1_000_000L,
                1 + random.nextInt(8), 3_600_000_000_000L,
                MigrationLimits.OnNoConvergence.STOP_AND_COPY, 60_000_000_000L,
                Bandwidth.UNLIMITED, MigrationLimits.Throttling.NONE);
    }

    /**
     * Changes the source's options.
     *
     * @param change of what was drawn
     * @return this
     */
    public Harness source(UnaryOperator<SourceOptions> change) {
        sourceOptions = change.apply(sourceOptions);
        return this;
    }

    /**
     * Changes the target's options.
     *
     * @param change of what was drawn
     * @return this
     */
    public Harness target(UnaryOperator<TargetOptions> change) {
        targetOptions = change.apply(targetOptions);
        return this;
    }

    /**
     * Wraps the source's link.
     *
     * @param wrapper around it
     * @return this
     */
    public Harness bendSource(UnaryOperator<SourceLink> wrapper) {
        bendSource = wrapper;
        return this;
    }

    /**
     * Wraps the target's link.
     *
     * @param wrapper around it
     * @return this
     */
    public Harness bendTarget(UnaryOperator<TargetLink> wrapper) {
        bendTarget = wrapper;
        return this;
    }

    /**
     * Changes the image, or gives another.
     *
     * @param change of an image that is one hole
     * @return this
     */
    public Harness bendImage(UnaryOperator<TestImage> change) {
        bendImage = change;
        return this;
    }

    /**
     * Has the engine reach guest and image through something else.
     *
     * @param source around the guest's memory
     * @param store  around the image
     * @return this
     */
    public Harness bendMemory(UnaryOperator<PageSource> source, UnaryOperator<PageStore> store) {
        bendMemory = source;
        incoming.readsLater();
        bendStore = store;
        return this;
    }

    /**
     * Acts before each step.
     *
     * @param act cuts links, cancels, crashes …
     * @return this
     */
    public Harness eachStep(Runnable act) {
        eachStep = act;
        return this;
    }

    /**
     * Sets how much the guest writes.
     *
     * @param most pages in one step, at most; half of that on average
     * @return this
     */
    public Harness writes(int most) {
        writesAStep = most;
        return this;
    }

    /**
     * Takes away whoever answers from the target's journal once its migration is over.
     *
     * @return this
     */
    public Harness nobodyAnswersLater() {
        later.nobodyAnswers();
        return this;
    }

    /**
     * Runs it to its end.
     *
     * @return both outcomes
     */
    public Ends run() {
        try {
            begin();
            for (int step = 0; !source.isDone() || !target.isDone(); step++) {
                check(step < MOST_STEPS, "does not end: " + source.state() + ", "
                        + target.state());
                step();
            }
            return new Ends(source.outcome().orElseThrow(), target.outcome().orElseThrow());
        } catch (RuntimeException | Error e) {
            throw new AssertionError("seed " + seed + ": " + e, e);
        }
    }

    private void begin() {
        source = new SourceMigration(new SourceParts(new UUID(seed, 1),
                Bent.around(Guest.class, guest, "memory", bendMemory),
                new Tap(bendSource.apply(links.source())), later, sourceJournal, clock,
                sourceListener, sourceOptions, () -> true));
        target = new TargetMigration(new TargetParts(bendTarget.apply(links.target()),
                Bent.around(IncomingGuest.class, incoming, "prepare", bendStore),
                any -> targetJournal, new UUID(seed, 2), clock, targetListener, targetOptions,
                () -> true));
    }

    private void step() {
        eachStep.run();
        // From here on the source only waits, and a step may be microseconds.
        boolean waits = source.state() == SourceState.DONE;
        clock.advance(random.nextLong(waits ? LONG_STEP_NANOS : mostStepNanos));
        if (guest.isRunning() && writesAStep > 0) {
            guest.write(random.nextInt(writesAStep), writeBelow);
        }
        if (random.nextBoolean()) {
            work(true);
            work(false);
        } else {
            work(false);
            work(true);
        }
        later.serve();
    }

    private void work(boolean atSource) {
        if (atSource) {
            source.doWork();
            if (source.isDone()) {
                links().source().close();
            }
        } else {
            target.doWork();
            if (target.isDone()) {
                links().target().close();
            }
        }
        checkOwners();
    }

    private void checkOwners() {
        boolean here = guest.isRunning();
        targetRan |= incoming.isRunning();
        check(!here || !incoming.isRunning(), "two guests run");
        check(!here || !targetRan, "the source runs again after the target ran");
        check(!here || source.state() != SourceState.GRANTED, "the source runs while granted");
        check(holesRead == 0, "a hole of the guest was read");
    }

    private void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError("seed " + seed + ": " + otherwise + "; " + log);
        }
    }

    /** {@return the seed} */
    public long seed() {
        return seed;
    }

    /** {@return what happened on both sides} */
    public EventLog log() {
        return log;
    }

    /** {@return the clock of both sides} */
    public ManualClock clock() {
        return clock;
    }

    /** {@return the guest at the source} */
    public TestGuest guest() {
        return guest;
    }

    /** {@return the guest at the target} */
    public TestIncomingGuest incoming() {
        return incoming;
    }

    /** {@return the source's journal} */
    public TestJournal sourceJournal() {
        return sourceJournal;
    }

    /** {@return the target's journal} */
    public TestJournal targetJournal() {
        return targetJournal;
    }

    /** {@return what the source said of itself} */
    public RecordingListener sourceListener() {
        return sourceListener;
    }

    /** {@return what the target said of itself} */
    public RecordingListener targetListener() {
        return targetListener;
    }

    /** {@return the link of the migration, the newest that its target took} */
    public MemoryLinks links() {
        return later.current();
    }

    /** {@return the source, from {@link #run} on} */
    public SourceMigration source() {
        return source;
    }

    /** {@return the target, from {@link #run} on} */
    public TargetMigration target() {
        return target;
    }

    /** Frees both sides, guests and links. */
    @Override
    public void close() {
        if (source != null) {
            source.close();
            target.close();
        }
        guest.close();
        incoming.close();
        links.close();
        later.close();
    }

    /** Looks at every raw page that is sent: a hole that was read would be among them. */
    private final class Tap extends SourceLinkFilter {
        Tap(SourceLink link) {
            super(link);
        }

        @Override
        public void commit(PageBatch batch) {
            for (int i = 0, at = 0; i < batch.count(); i++) {
                long descriptor = batch.descriptorAt(i);
                if (PageBatch.codecOf(descriptor) == PageCodec.RAW
                        && TestMemory.isPoison(batch.payload(), at)) {
                    holesRead++;
                }
                at += PageBatch.lengthOf(descriptor);
            }
            super.commit(batch);
        }
    }
}
