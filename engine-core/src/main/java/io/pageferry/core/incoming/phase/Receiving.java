package io.pageferry.core.incoming.phase;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageDecodeException;
import io.pageferry.core.incoming.session.Receiver;
import io.pageferry.core.incoming.session.Reservation;
import io.pageferry.core.incoming.session.StateBuffer;
import io.pageferry.core.incoming.session.TargetContext;
import io.pageferry.core.incoming.session.TargetParts;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.util.Optional;

/** Fills the image and reads it back, until COMPLETE; nothing is loaded. */
public final class Receiving implements Phase {
    private final TargetContext context;
    private final Receiver receiver;
    private final Reservation reservation;
    private final long generation;
    private StateBuffer deviceState = new StateBuffer();

    Receiving(TargetContext context, Receiver receiver, Reservation reservation,
            long generation) {
        this.context = context;
        this.receiver = receiver;
        this.reservation = reservation;
        this.generation = generation;
    }

    /**
     * Goes on over another link. The old one is closed first, and with it goes all that it still
     * held: the source sends that again. So does what came of a switch-over that was not proved.
     */
    @Override
    public Phase sourceBack(TargetLink fresh, long next) {
        context.link().close();
        receiver.restart();
        context.renew(fresh, next);
        Receiving again = new Receiving(context, receiver, reservation, next);
        Message.Welcome welcome = welcome(context, reservation, next);
        fresh.resumeChannels(welcome, receiver.regions());
        context.send(welcome);
        context.log("the source is back, generation " + next);
        return again;
    }

    static Message.Welcome welcome(TargetContext context, Reservation reservation,
            long generation) {
        TargetParts parts = context.parts();
        return new Message.Welcome(parts.token(), generation, reservation.features(),
                reservation.channels(), parts.options().window());
    }

    @Override
    public Optional<Message> answerToResume() {
        return Optional.empty();
    }

    @Override
    public TargetState state() {
        return TargetState.RECEIVING;
    }

    @Override
    public TargetContext context() {
        return context;
    }

    Receiver receiver() {
        return receiver;
    }

    /** Says how the image is reached, which is known now, on each link anew. */
    @Override
    public Phase begin() {
        context.parts().guest().memoryAccess().map(Message.MemoryAccess::new)
                .ifPresent(context::send);
        return this;
    }

    @Override
    public Phase turn(long now) {
        Optional<String> gone = context.parts().guest().ended();
        if (gone.isPresent()) {
            return end(ErrorCode.GUEST_ENDED, gone.get(), Side.TARGET);
        }
        boolean idle = context.isIdle();
        passBarrier();
        if (idle) {
            context.worked(receiver.walk());
        }
        long done = receiver.newlyWalked();
        if (done >= 0) {
            context.send(new Message.RoundVerified(done));
        }
        return this;
    }

    /** Notifies the source of a round whose batches are all in the image. */
    void passBarrier() {
        long passed = context.parts().warm().getAsBoolean() ? receiver.passBarrier() : -1;
        if (passed >= 0) {
            context.worked(1);
            // Not sooner: a page cannot be sent again before the next round.
            receiver.nameOwed(context::send);
            context.send(new Message.RoundApplied(passed));
        }
    }

    @Override
    public Phase on(Message message) {
        return switch (message) {
            case Message.RoundEnd end -> unless(receiver.barrier(end));
            case Message.Switchover begun -> switchover(begun);
            case Message.StateChunk chunk when chunk.epoch() == context.epoch() ->
                    unless(deviceState.add(chunk));
            case Message.Complete all -> complete(all);
            default -> Phase.super.on(message);
        };
    }

    /** Goes on unless there is something wrong. */
    private Phase unless(String wrong) {
        return wrong == null ? this : violated(wrong);
    }

    private Phase switchover(Message.Switchover begun) {
        if (begun.epoch() <= context.epoch()) {
            return violated("epoch " + begun.epoch() + " after " + context.epoch());
        }
        context.epoch(begun.epoch());
        deviceState = new StateBuffer();
        context.parts().guest().stateComes();
        context.log("the source pauses the guest, epoch " + begun.epoch());
        return this;
    }

    private Phase complete(Message.Complete all) {
        if (all.epoch() != context.epoch() || all.epoch() == 0
                || all.lastSequences().length != receiver.channels()) {
            return violated("COMPLETE(" + all.epoch() + ") of " + all.lastSequences().length
                    + " channels in epoch " + context.epoch());
        }
        if (all.leftPages() != 0) {
            return violated("COMPLETE while " + all.leftPages() + " pages are still owed");
        }
        String wrong = deviceState.check(all.state());
        return wrong == null ? new Proving(this, all, deviceState.toByteArray())
                : violated(wrong);
    }

    @Override
    public Phase on(PageBatch batch) {
        if (batch.generation() != generation) {
            return Phase.super.on(batch);
        }
        try {
            receiver.apply(batch);
        } catch (PageDecodeException e) {
            return end(ErrorCode.PROTOCOL_VIOLATION, e.getMessage(), Side.SOURCE);
        }
        context.figures().batch(batch.bytes());
        context.figures().pages(receiver.pages());
        context.link().applied(batch);
        receiver.readBack();
        return this;
    }

    /** Keeps the image for the window; only damage on the way is forgiven. */
    @Override
    public Phase lost(ErrorCode code, String reason) {
        boolean damage = code == ErrorCode.LINK_LOST || code == ErrorCode.CORRUPT_FRAME;
        // A mirror of a disk does not outlive its stream.
        return damage && !reservation.hasStorage()
                && context.parts().options().reconnectNanos() > 0
                ? new KeptImage(this, code, reason) : end(code, reason, Side.SOURCE);
    }

    @Override
    public Phase end(ErrorCode code, String reason, Side side) {
        return Ended.discarded(context, Outcome.of(Result.FAILED, code, reason, side),
                new Message.Cancel(context.epoch(), code, reason));
    }

    @Override
    public Phase bug(RuntimeException e) {
        return Ended.discarded(context, e);
    }
}
