package io.pageferry.core.testing;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Link;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.round.PageSink;
import io.pageferry.core.round.PageSinkFilter;
import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Both ends of a link in memory. Control and each data channel are queues of their own, as they
 * are connections of their own in reality: what is delivered next is drawn from a seed, so one may
 * overtake the other, and a queue may be full. Batches are copied on their way. Confined to one
 * thread.
 */
public final class MemoryLinks implements AutoCloseable {
    /** Messages that wait in one direction before {@link Link#send} says no. */
    private static final int QUEUE = 64;

    private final Arena arena = Arena.ofShared();
    private final Optional<Random> random;
    private final List<MemoryChannel> channels = new ArrayList<>();
    private final SourceEnd source = new SourceEnd();
    private final TargetEnd target = new TargetEnd();
    private Message.Welcome accepted;
    private boolean up = true;
    private boolean silent;
    private ErrorCode lostCode;
    private String lostReason;
    private String sourceIdentity;

    private MemoryLinks(Optional<Random> random) {
        this.random = random;
    }

    /**
     * Makes a pair that delivers in an order drawn from a seed.
     *
     * @param seed of all its choices
     * @return the pair
     */
    public static MemoryLinks shuffled(long seed) {
        return new MemoryLinks(Optional.of(new Random(seed)));
    }

    /**
     * Makes a pair that delivers all it has at each poll, pages before messages.
     *
     * @return the pair
     */
    public static MemoryLinks orderly() {
        return new MemoryLinks(Optional.empty());
    }

    /** {@return the source's end} */
    public SourceLink source() {
        return source;
    }

    /** {@return the target's end} */
    public TargetLink target() {
        return target;
    }

    /**
     * Loses the link: of what is under way a part arrives, drawn from the seed; all of it where
     * there is none.
     *
     * @param code   as both ends will be told
     * @param reason as both ends will be told
     */
    public void cut(ErrorCode code, String reason) {
        if (!up && !silent) {
            return;
        }
        silent = false;
        lose(code, reason);
        random.ifPresent(choice -> {
            source.keep(choice.nextInt(QUEUE));
            target.keep(choice.nextInt(QUEUE));
            channels.forEach(channel -> channel.lose(choice.nextInt(8), choice.nextInt(8)));
        });
    }

    /** From now on nothing arrives, and nobody is told, until it is cut. */
    public void silence() {
        silent = true;
    }

    /** Frees the slots. Idempotent. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    /**
     * Sets who the source is for the target, as a certificate would prove it.
     *
     * @param identity of the source, or null where nothing proves it
     */
    public void identify(String identity) {
        sourceIdentity = identity;
    }

    private void lose(ErrorCode code, String reason) {
        up = false;
        lostCode = code;
        lostReason = reason;
    }

    private int draw(int bound) {
        return random.map(choice -> choice.nextInt(bound)).orElse(0);
    }

    /** What both ends have in common. */
    private abstract class End implements Link {
        private final ArrayDeque<Message> inbox = new ArrayDeque<>();
        LinkHandler polling;
        private boolean told;
        private boolean closed;

        abstract End peer();

        /** Queues other than control that have something, as indexes. */
        abstract List<Integer> ready();

        abstract void deliver(int queue, LinkHandler handler);

        @Override
        public boolean send(Message message) {
            End peer = peer();
            if (!up || peer.inbox.size() >= QUEUE || random.isPresent() && draw(8) == 0) {
                return false;
            }
            peer.inbox.add(message);
            return true;
        }

        @Override
        public int poll(LinkHandler handler) {
            if (silent) {
                return 0;
            }
            polling = handler;
            int delivered = 0;
            int most = random.isPresent() ? draw(4) : Integer.MAX_VALUE;
            while (delivered < most && !closed && deliverNext(handler)) {
                delivered++;
            }
            boolean empty = delivered == 0 && inbox.isEmpty() && ready().isEmpty();
            if (!up && !closed && !told && empty) {
                told = true;
                handler.onLost(lostCode, lostReason);
                delivered++;
            }
            return delivered;
        }

        @Override
        public boolean isUp() {
            return up || silent && !closed;
        }

        @Override
        public void close() {
            closed = true;
            if (up) {
                lose(ErrorCode.LINK_LOST, "the peer closed the link");
            }
        }

        void keep(int messages) {
            while (inbox.size() > messages) {
                inbox.removeLast();
            }
        }

        private boolean deliverNext(LinkHandler handler) {
            List<Integer> ready = ready();
            int choices = ready.size() + (inbox.isEmpty() ? 0 : 1);
            if (choices == 0) {
                return false;
            }
            int choice = draw(choices);
            if (choice < ready.size()) {
                deliver(ready.get(choice), handler);
            } else {
                handler.onMessage(inbox.poll());
            }
            return true;
        }
    }

    private final class SourceEnd extends End implements SourceLink, PageSink {
        private Message.Welcome welcome;
        private long wireBytes;
        private int next;

        @Override
        End peer() {
            return target;
        }

        @Override
        List<Integer> ready() {
            return IntStream.range(0, channels.size())
                    .filter(i -> channels.get(i).hasAck()).boxed().toList();
        }

        @Override
        void deliver(int queue, LinkHandler handler) {
            channels.get(queue).takeAck();
        }

        @Override
        public void openChannels(Message.Welcome granted) {
            welcome = granted;
            for (int i = 0; i < granted.channels(); i++) {
                channels.add(new MemoryChannel(arena, i, granted));
            }
        }

        @Override
        public boolean channelsReady() {
            return welcome != null && welcome.equals(accepted) && draw(3) == 0;
        }

        @Override
        public PageSink pages() {
            return this;
        }

        @Override
        public int lanes() {
            return channels.size();
        }

        @Override
        public PageSink lane(int index, int of) {
            return of == 1 ? this : new Lane(index, of);
        }

        @Override
        public PageBatch claim() {
            for (int i = 0; up && i < channels.size(); i++) {
                next = (next + 1) % channels.size();
                PageBatch slot = channels.get(next).claim();
                if (slot != null) {
                    return slot;
                }
            }
            return null;
        }

        @Override
        public void commit(PageBatch batch) {
            if (batch.count() == 0) {
                throw new IllegalArgumentException("a batch without pages was committed");
            }
            wireBytes += MemoryChannel.wireBytes(batch);
            channels.get(batch.channel()).commit(batch, up);
        }

        @Override
        public void abandon(PageBatch batch) {
            channels.get(batch.channel()).abandon(batch);
        }

        @Override
        public int unacknowledged() {
            return channels.stream().mapToInt(MemoryChannel::unacknowledged).sum();
        }

        @Override
        public long[] lastSequences() {
            return channels.stream().mapToLong(MemoryChannel::lastSequence).toArray();
        }

        @Override
        public long wireBytes() {
            return wireBytes;
        }

        @Override
        public long reclaim(LongConsumer pages) {
            return channels.stream().mapToLong(channel -> channel.reclaim(pages)).sum();
        }

        /** Every so many-th channel. */
        private final class Lane extends PageSinkFilter {
            private final int index;
            private final int of;

            Lane(int index, int of) {
                this.index = index;
                this.of = of;
            }

            private Stream<MemoryChannel> ours() {
                return IntStream.range(0, channels.size()).filter(i -> i % of == index)
                        .mapToObj(channels::get);
            }

            @Override
            protected PageSink sink() {
                return SourceEnd.this;
            }

            @Override
            public PageBatch claim() {
                return !up ? null : ours().map(MemoryChannel::claim).filter(Objects::nonNull)
                        .findFirst().orElse(null);
            }

            @Override
            public int unacknowledged() {
                return ours().mapToInt(MemoryChannel::unacknowledged).sum();
            }

            @Override
            public long reclaim(LongConsumer pages) {
                return ours().mapToLong(channel -> channel.reclaim(pages)).sum();
            }
        }
    }

    private final class TargetEnd extends End implements TargetLink {
        @Override
        End peer() {
            return source;
        }

        @Override
        public boolean hasChannels() {
            return !channels.isEmpty();
        }

        @Override
        List<Integer> ready() {
            return IntStream.range(0, polling.takesBatches() ? channels.size() : 0)
                    .filter(i -> channels.get(i).hasTravelling()).boxed().toList();
        }

        @Override
        void deliver(int queue, LinkHandler handler) {
            handler.onBatch(channels.get(queue).arrive());
        }

        @Override
        public Optional<String> peerIdentity() {
            return Optional.ofNullable(sourceIdentity);
        }

        @Override
        public void acceptChannels(Message.Welcome granted) {
            accepted = granted;
        }

        @Override
        public void resumeChannels(Message.Welcome granted, RegionTable regions) {
            accepted = granted;
        }

        @Override
        public void applied(PageBatch batch) {
            channels.get(batch.channel()).applied(batch, up);
        }
    }
}
