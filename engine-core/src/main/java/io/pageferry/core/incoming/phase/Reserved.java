package io.pageferry.core.incoming.phase;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.incoming.session.Receiver;
import io.pageferry.core.incoming.session.Reservation;
import io.pageferry.core.incoming.session.TargetContext;
import io.pageferry.core.incoming.session.TargetParts;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.Optional;

/**
 * Keeps a promise of room, and nothing else: until the first page came there is no image, no
 * journal and no guard, and a source that goes away leaves nothing behind. What ends here never
 * was a migration.
 */
final class Reserved implements Phase {
    /**
     * A source attaches its channels as soon as it is welcome; on a busy host that takes seconds.
     * As long as any connection has for its first message.
     */
    static final long CHANNEL_NANOS = 15_000_000_000L;

    /**
     * So long the first page may take at least of a source whose channels are attached: it was let
     * in, and may have a cold JVM, a large guest to look through and a busy host.
     */
    static final long PAGE_NANOS = 30_000_000_000L;

    private final TargetContext context;
    private final Reservation reservation;
    private final long generation;
    private final long since;
    private String lost;

    private Reserved(TargetContext context, Reservation reservation, long generation) {
        this.context = context;
        this.reservation = reservation;
        this.generation = generation;
        this.since = context.now();
    }

    /** Sends WELCOME; a stream of a disk may begin right behind it, and finds all in place. */
    static Phase first(TargetContext context, Reservation reservation) {
        Reserved first = new Reserved(context, reservation, context.generation());
        Phase next = first;
        if (reservation.hasStorage()) {
            next = first.fill();
            if (!(next instanceof Receiving)) {
                return next;
            }
        }
        Message.Welcome welcome = Receiving.welcome(context, reservation, first.generation);
        context.link().acceptChannels(welcome);
        context.send(welcome);
        return next;
    }

    @Override
    public TargetState state() {
        return TargetState.RESERVED;
    }

    @Override
    public TargetContext context() {
        return context;
    }

    @Override
    public Phase turn(long now) {
        TargetParts parts = context.parts();
        Optional<String> gone = parts.guest().ended();
        if (gone.isPresent()) {
            return end(ErrorCode.GUEST_ENDED, gone.get(), Side.TARGET);
        }
        long window = Math.max(lost == null ? PAGE_NANOS : CHANNEL_NANOS,
                parts.options().reconnectNanos());
        if (lost == null && !context.link().hasChannels() && now - since >= CHANNEL_NANOS) {
            return end(ErrorCode.DEADLINE, "no data channel came within "
                    + CHANNEL_NANOS / 1_000_000 + " ms", Side.SOURCE);
        }
        if (now - since >= window) {
            return end(lost == null ? ErrorCode.DEADLINE : ErrorCode.LINK_LOST,
                    (lost == null ? "" : lost + "; ") + "no page came within "
                    + window / 1_000_000 + " ms", Side.SOURCE);
        }
        return this;
    }

    @Override
    public Phase on(Message message) {
        return switch (message) {
            case Message.RoundEnd end -> fill().on(message);
            case Message.Switchover begun -> fill().on(message);
            default -> Phase.super.on(message);
        };
    }

    @Override
    public Phase on(PageBatch batch) {
        return batch.generation() == generation ? fill().on(batch) : Phase.super.on(batch);
    }

    /** Makes journal and image, in this order: what is made is found by whoever takes over. */
    private Phase fill() {
        TargetParts parts = context.parts();
        try {
            context.journal(parts.journals().open(reservation.offered().migrationId()));
            Receiver receiver = new Receiver(parts.guest().prepare(reservation.offered().guest()),
                    reservation);
            context.receiver(receiver);
            return new Receiving(context, receiver, reservation, generation);
        } catch (GuestException e) {
            return failed(Outcome.of(Result.FAILED, e.code(), e.getMessage(), Side.TARGET)
                    .withRemedy(e.remedy()).causedBy(e));
        } catch (IOException e) {
            return failed(Outcome.of(Result.FAILED, ErrorCode.HOST_FAILED,
                    "the target cannot make its journal: " + e.getMessage(), Side.TARGET)
                    .causedBy(e));
        }
    }

    private Phase failed(Outcome why) {
        String remedy = why.remedy().isEmpty() ? "" : "; " + why.remedy();
        return Ended.discarded(context, why, new Message.Cancel(context.epoch(), why.code(),
                why.reason() + remedy));
    }

    /** Keeps the promise for the window; only damage on the way is forgiven. */
    @Override
    public Phase lost(ErrorCode code, String reason) {
        if (code != ErrorCode.LINK_LOST && code != ErrorCode.CORRUPT_FRAME
                || context.parts().options().reconnectNanos() == 0) {
            return end(code, reason, Side.SOURCE);
        }
        lost = reason;
        context.link().close();
        return this;
    }

    @Override
    public Phase sourceBack(TargetLink fresh, long next) {
        context.link().close();
        context.renew(fresh, next);
        Message.Welcome welcome = Receiving.welcome(context, reservation, next);
        fresh.resumeChannels(welcome, reservation.regions());
        context.send(welcome);
        return new Reserved(context, reservation, next);
    }

    @Override
    public Optional<Message> answerToResume() {
        return Optional.empty();
    }

    @Override
    public Phase end(ErrorCode code, String reason, Side side) {
        context.send(new Message.Cancel(context.epoch(), code, reason));
        return new Ended(context, Outcome.of(Result.REFUSED, code, reason, side));
    }

    @Override
    public Phase bug(RuntimeException e) {
        return Ended.discarded(context, e);
    }
}
