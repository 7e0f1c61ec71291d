package io.pageferry.core.incoming.phase;

import io.pageferry.core.incoming.session.Receiver;
import io.pageferry.core.incoming.session.TargetContext;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.migration.Outcome.Side;
import java.util.Optional;

/** Proves the image after COMPLETE: applied to the last batch, read back, digests equal. */
public final class Proving implements Phase {
    private final Receiving receiving;
    private final Receiver receiver;
    private final Message.Complete complete;
    private final byte[] deviceState;
    private final long completeNanos;
    private boolean begun;
    private boolean compared;

    Proving(Receiving receiving, Message.Complete complete, byte[] deviceState) {
        this.receiving = receiving;
        this.receiver = receiving.receiver();
        this.complete = complete;
        this.deviceState = deviceState;
        this.completeNanos = context().now();
    }

    @Override
    public TargetState state() {
        return receiving.state();
    }

    @Override
    public TargetContext context() {
        return receiving.context();
    }

    @Override
    public Phase turn(long now) {
        Optional<String> gone = context().parts().guest().ended();
        if (gone.isPresent()) {
            return end(ErrorCode.GUEST_ENDED, gone.get(), Side.TARGET);
        }
        receiving.passBarrier();
        context().worked(receiver.walk());
        if (!receiver.reached(complete.lastSequences()) || receiver.barrierPending()) {
            return this;
        }
        if (!begun) {
            begun = true;
            receiver.beginProof();
        }
        if (compared) {
            return flushed();
        }
        return receiver.isReadBack() ? compare() : this;
    }

    /** Only what is proved is completed: a disk could be booted from then on. */
    private Phase compare() {
        String owed = receiver.owedAtTheEnd();
        if (owed != null) {
            return violated(owed);
        }
        long digest = receiver.table().digest();
        context().figures().digests(complete.digest(), digest);
        context().figures().pages(receiver.pages());
        if (receiver.verifies() && digest != complete.digest()) {
            return new Mismatched(receiving, digest);
        }
        compared = true;
        return flushed();
    }

    private Phase flushed() {
        if (!receiver.isFlushed()) {
            return this;
        }
        receiver.tell(context().parts().guest());
        return new Ready.Loading(context(), state(), receiver.table().digest(), deviceState,
                context().now() - completeNanos);
    }

    @Override
    public Phase on(Message message) {
        return message instanceof Message.RoundEnd ? barrier(message) : Phase.super.on(message);
    }

    /** A barrier is taken as before; where it is wrong, that is the end. */
    private Phase barrier(Message message) {
        Phase following = receiving.on(message);
        return following == receiving ? this : following;
    }

    @Override
    public Phase lost(ErrorCode code, String reason) {
        return receiving.lost(code, reason);
    }

    @Override
    public Phase end(ErrorCode code, String reason, Side side) {
        return receiving.end(code, reason, side);
    }

    @Override
    public Phase bug(RuntimeException e) {
        return receiving.bug(e);
    }

    @Override
    public Phase sourceBack(TargetLink fresh, long generation) {
        return receiving.sourceBack(fresh, generation);
    }

    @Override
    public Optional<Message> answerToResume() {
        return receiving.answerToResume();
    }
}
