package io.pageferry.core.simulation;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.ManualClock;
import io.pageferry.core.testing.MemoryLinks;
import io.pageferry.core.testing.SourceLinkFilter;
import io.pageferry.core.testing.TargetLinkFilter;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.LongSupplier;

/**
 * Makes the links of one simulation: each batch takes its time by rate and jitter, control
 * messages overtake it, and whoever sends may die of it.
 */
final class SimulatedConnector implements AutoCloseable {
    /** Headers of a batch and what its descriptors take. */
    private static final int HEADERS = 72;

    /** A page is sent again three times: more would be too often for one. */
    private static final int MOST_DAMAGES = 3;

    private static final int DAMAGE_ONE_IN = 20;

    /** Headers of a chunk of device state. */
    private static final int CHUNK_HEADERS = 56;

    private final ManualClock clock;
    private final Random random;
    private final Fuse sourceFuse;
    private final Fuse targetFuse;
    private final Faults faults;
    private final Mutant mutant;
    private final Mutants.Straggler straggler = new Mutants.Straggler();
    private final List<MemoryLinks> all = new ArrayList<>();
    private final Meter meter = new Meter();
    private final LongSupplier allowed;
    private final long bytesPerSecond;
    private final int jitterNanos;
    private int stragglersIn;
    private int damages;

    /** The bound is in bytes a second, 0 for none. */
    SimulatedConnector(ManualClock clock, Random random, Faults faults, Mutant mutant,
            LongSupplier allowed) {
        this.clock = clock;
        this.random = random;
        this.sourceFuse = faults.source;
        this.targetFuse = faults.target;
        this.faults = faults;
        this.mutant = mutant;
        this.allowed = allowed;
        this.bytesPerSecond = 1_000_000L << random.nextInt(10);
        this.jitterNanos = 1 + random.nextInt(2_000_000);
    }

    /** How often a batch of an older connection got in; nobody but a mutant lets it. */
    int stragglersIn() {
        return stragglersIn;
    }

    /** Whether a batch is under way that a cut would leave on an old connection. */
    boolean holdsStraggler() {
        return straggler.isKept();
    }

    /** How often something was held against the bound. */
    long metered() {
        return meter.counted();
    }

    MemoryLinks fresh() {
        MemoryLinks links = MemoryLinks.shuffled(random.nextLong());
        all.add(links);
        return links;
    }

    SourceLink atSource(MemoryLinks links) {
        SourceLink link = new SourceLinkFilter(links.source()) {
            @Override
            public boolean send(Message message) {
                sourceFuse.before("send " + message.getClass().getSimpleName());
                boolean sent = super.send(message);
                if (sent && message instanceof Message.StateChunk chunk) {
                    meter.note(clock.nanoTime(), chunk.bytes().length + CHUNK_HEADERS,
                            allowed.getAsLong());
                }
                if (sent) {
                    sourceFuse.after("send " + message.getClass().getSimpleName());
                }
                return sent;
            }

            @Override
            public void commit(PageBatch batch) {
                long before = super.wireBytes();
                super.commit(batch);
                meter.note(clock.nanoTime(), super.wireBytes() - before, allowed.getAsLong());
            }

            @Override
            public long wireBytes() {
                return mutant == Mutant.UNCOUNTED_BYTES ? 0 : super.wireBytes();
            }
        };
        return switch (mutant) {
            case NO_BARRIER -> new Mutants.NoBarrier(link);
            case CANCEL_UNHEARD -> new Mutants.CancelUnheard(link);
            default -> link;
        };
    }

    TargetLink atTarget(MemoryLinks links) {
        return new Paced(links.target());
    }

    @Override
    public void close() {
        all.forEach(MemoryLinks::close);
    }

    /** The target's end, at the rate of the link. */
    private final class Paced extends TargetLinkFilter {
        private long freeAt;
        private boolean resumed;
        private long generation = 1;
        private long lastSequence;
        private PageBatch alien;

        Paced(TargetLink link) {
            super(link);
            freeAt = clock.nanoTime();
        }

        @Override
        public int poll(LinkHandler handler) {
            // A connection is in order: behind a batch that is kept back nothing comes.
            boolean stuck = straggler.isKept() && !resumed && isUp();
            return stuck || clock.nanoTime() - freeAt < 0 ? 0 : super.poll(handler);
        }

        @Override
        protected void deliver(PageBatch batch, LinkHandler handler) {
            long bytes = batch.bytes() + (long) HEADERS;
            freeAt = clock.nanoTime() + bytes * 1_000_000_000L / bytesPerSecond
                    + random.nextInt(jitterNanos);
            if (mutant == Mutant.NO_GENERATION && !resumed) {
                if (straggler.isKept()) {
                    return;
                }
                if (batch.round() > 0) {
                    straggler.keep(batch);
                    return;
                }
            }
            lastSequence = batch.channel() == 0 ? batch.sequence() : lastSequence;
            if (damages < MOST_DAMAGES && batch.payloadBytes() > 0
                    && random.nextInt(DAMAGE_ONE_IN) == 0) {
                damage(batch);
            }
            super.deliver(batch, handler);
        }

        private void damage(PageBatch batch) {
            damages++;
            faults.damaged();
            int at = random.nextInt(batch.payloadBytes());
            batch.payloadBuffer().put(at, (byte) ~batch.payloadBuffer().get(at));
            if (mutant == Mutant.UNPROVED_COUNTS) {
                Mutants.believe(batch);
            }
        }

        @Override
        protected void deliver(Message message, LinkHandler handler) {
            if (resumed && straggler.isKept() && message instanceof Message.Switchover) {
                stragglersIn++;
                alien = straggler.arrive(new PageBatch(Arena.ofAuto().allocate(
                        PageBatch.PAYLOAD_CAPACITY, 8)), generation, lastSequence);
                handler.onBatch(alien);
            }
            super.deliver(message, handler);
        }

        @Override
        public boolean send(Message message) {
            targetFuse.before("send " + message.getClass().getSimpleName());
            boolean sent = super.send(message);
            if (sent) {
                targetFuse.after("send " + message.getClass().getSimpleName());
            }
            return sent;
        }

        @Override
        public void resumeChannels(Message.Welcome welcome, RegionTable regions) {
            resumed = true;
            generation = welcome.generation();
            super.resumeChannels(welcome, regions);
        }

        @Override
        public void applied(PageBatch batch) {
            if (batch != alien) {
                super.applied(batch);
            }
        }
    }
}
