package io.pageferry.core.outgoing;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.outgoing.phase.EndingGuest;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.SourceParts;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.testing.EventLog;
import io.pageferry.core.testing.ManualClock;
import io.pageferry.core.testing.MemoryLinks;
import io.pageferry.core.testing.RecordingListener;
import io.pageferry.core.testing.TestGate;
import io.pageferry.core.testing.TestGuest;
import io.pageferry.core.testing.TestJournal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.UnaryOperator;

/** A source with a test at the other end of its link, which says what it likes. */
final class SourceRig implements AutoCloseable {
    static final UUID ID = new UUID(7, 7);
    static final long SECOND = 1_000_000_000L;

    final EventLog log = new EventLog();
    final ManualClock clock = new ManualClock(Long.MIN_VALUE / 2);
    final TestGuest guest = new TestGuest(RegionTable.single("ram", 64 * 4096L), 11, log);
    final TestGate gate = new TestGate(clock);
    final TestJournal journal = new TestJournal("source", log);
    final RecordingListener listener = new RecordingListener("source", log);
    final MemoryLinks links = MemoryLinks.orderly();
    final List<Message> received = new ArrayList<>();
    final List<MemoryLinks> later = new ArrayList<>();
    private final List<PageBatch> pending = new ArrayList<>();
    SourceMigration source;
    private Message.Complete complete;

    /** Whether batches are acknowledged. */
    boolean applies = true;

    /** Whether the process is warm. */
    boolean warm = true;

    /** Whether barriers are answered. */
    boolean answersBarriers = true;

    SourceRig() {
        this(UnaryOperator.identity(), UnaryOperator.identity());
    }

    SourceRig(UnaryOperator<SourceOptions> options, UnaryOperator<SourceLink> bend) {
        this(options, bend, true);
    }

    /** One whose guest may have no throttle. */
    SourceRig(UnaryOperator<SourceOptions> options, UnaryOperator<SourceLink> bend,
            boolean hasThrottle) {
        guest.write(100, 48);
        if (hasThrottle) {
            guest.throttled(gate);
        }
        SourceOptions usual = SourceOptions.defaults().withWindows(0, 30 * SECOND);
        source = new SourceMigration(new SourceParts(ID, guest, bend.apply(links.source()),
                new Opener(), journal, clock, listener, options.apply(usual), () -> warm));
    }

    /** A rig that is in a state and stays there. */
    static SourceRig in(SourceState state) {
        return new SourceRig().recoveryAddress(state);
    }

    /** SWITCHOVER after COMPLETE was sent: READY may come. */
    static SourceRig complete() {
        return new SourceRig().recoveryAddress(SourceState.SWITCHOVER).completed();
    }

    SourceRig recoveryAddress(SourceState state) {
        switch (state) {
            case NEGOTIATING -> turn();
            case PRECOPY -> {
                answersBarriers = false;
                recoveryAddress(SourceState.NEGOTIATING).welcome();
                turn();
            }
            case SWITCHOVER -> {
                recoveryAddress(SourceState.PRECOPY);
                turns(3);
                applies = false;
                say(new Message.RoundApplied(0));
                say(new Message.RoundVerified(0));
                turns(3);
            }
            case GRANTED -> {
                recoveryAddress(SourceState.SWITCHOVER).completed();
                say(ready());
                turn();
            }
            case OWNED -> {
                guest.failResume(new GuestException(
                        ErrorCode.GUEST_FAILED, "a lock is held", "").retryable());
                recoveryAddress(SourceState.SWITCHOVER);
                say(new Message.Cancel(1, ErrorCode.CANCELLED, "the test says so"));
                turn();
            }
            case ENDED -> {
                recoveryAddress(SourceState.PRECOPY);
                source.cancel();
                turn();
            }
            default -> throw new IllegalArgumentException("nobody stays in " + state);
        }
        if (source.state() != state) {
            throw new IllegalStateException("not in " + state + ": " + log);
        }
        return this;
    }

    SourceRig completed() {
        applies = true;
        answersBarriers = true;
        // What was delivered while nobody applied it is applied now.
        pending.forEach(links.target()::applied);
        pending.clear();
        long barrier = last(Message.RoundEnd.class).round();
        say(new Message.RoundApplied(barrier));
        turns(10);
        complete = last(Message.Complete.class);
        return this;
    }

    Message.Ready ready() {
        return new Message.Ready(1, complete.digest(), 1, 1);
    }

    void welcome() {
        Message.Welcome welcome = new Message.Welcome(new UUID(1, 1), 1, 0, 1, 4);
        links.target().acceptChannels(welcome);
        say(welcome);
    }

    void say(Message message) {
        if (!links.target().send(message)) {
            throw new IllegalStateException("the link takes nothing");
        }
    }

    void turn() {
        source.doWork();
        if (links.target().isUp()) {
            links.target().poll(new Hand());
        }
    }

    void turns(int count) {
        for (int i = 0; i < count; i++) {
            turn();
        }
    }

    /** As long as a guest that runs at the target is left alone. */
    void quiet() {
        turns(2);
        clock.advance(EndingGuest.QUIET_NANOS);
        turn();
    }

    Outcome outcome() {
        return source.outcome().orElseThrow(() -> new AssertionError("goes on: " + log));
    }

    <T extends Message> T last(Class<T> type) {
        return received.reversed().stream().filter(type::isInstance).map(type::cast).findFirst()
                .orElseThrow(() -> new AssertionError("no " + type.getSimpleName() + ": " + log));
    }

    boolean heard(Class<? extends Message> type) {
        return received.stream().anyMatch(type::isInstance);
    }

    /** Later links, on which the test answers as it likes. */
    private final class Opener implements LinkOpener {
        @Override
        public Optional<SourceLink> beginOpen() {
            later.add(MemoryLinks.orderly());
            return Optional.of(later.getLast().source());
        }
    }

    @Override
    public void close() {
        source.close();
        guest.close();
        links.close();
        later.forEach(MemoryLinks::close);
    }

    /** What the test does with what arrives. */
    private final class Hand implements LinkHandler {
        @Override
        public void onMessage(Message message) {
            received.add(message);
            if (answersBarriers && message instanceof Message.RoundEnd end) {
                say(new Message.RoundApplied(end.round()));
                say(new Message.RoundVerified(end.round()));
            }
        }

        @Override
        public void onBatch(PageBatch batch) {
            if (applies) {
                links.target().applied(batch);
            } else {
                pending.add(batch);
            }
        }

        @Override
        public void onLost(ErrorCode code, String reason) {
            log.add("target.lost");
        }
    }
}
