package io.pageferry.core.incoming.phase;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.incoming.session.TargetContext;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.incoming.session.UnauthorisedRun;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.Optional;

/** Waits for the grant with the guest loaded and paused. */
public final class Ready implements Phase {
    /**
     * Loads the guest behind J(PREPARED).
     *
     * @param context     of the migration
     * @param state       while it is being loaded
     * @param digest      of the image
     * @param deviceState to load
     * @param walkNanos   how long the image was being proved
     */
    record Loading(TargetContext context, TargetState state, long digest, byte[] deviceState,
            long walkNanos) implements Phase {
        @Override
        public Phase begin() {
            try {
                context.write(JournalState.PREPARED, "");
            } catch (IOException e) {
                return refuse(failed(ErrorCode.HOST_FAILED, "cannot write the journal: "
                        + e.getMessage(), Side.TARGET).causedBy(e));
            }
            long before = context.now();
            try {
                context.parts().guest().loadState(deviceState);
            } catch (GuestException e) {
                return refuse(failed(e.code(), e.getMessage(), Side.TARGET).causedBy(e));
            }
            long loadNanos = context.now() - before;
            context.figures().loaded(deviceState.length, walkNanos, loadNanos);
            return new Ready(context,
                    new Message.Ready(context.epoch(), digest, walkNanos, loadNanos));
        }

        @Override
        public Phase end(ErrorCode code, String reason, Side side) {
            return refuse(failed(code, reason, side));
        }

        private Phase refuse(Outcome why) {
            UnauthorisedRun run = new UnauthorisedRun(context);
            run.look();
            return Refusing.of(context, run, why);
        }

        @Override
        public Phase bug(RuntimeException e) {
            return Refusing.of(context, new UnauthorisedRun(context), broken(e));
        }

        @Override
        public Optional<Message> answerToResume() {
            return context.refusal("the guest was granted");
        }
    }

    private final TargetContext context;
    private final Message.Ready announced;
    private final UnauthorisedRun run;
    private final long deadline;

    private Ready(TargetContext context, Message.Ready announced) {
        this.context = context;
        this.announced = announced;
        this.run = new UnauthorisedRun(context);
        this.deadline = context.now() + context.parts().options().grantNanos();
    }

    @Override
    public TargetState state() {
        return TargetState.READY;
    }

    @Override
    public TargetContext context() {
        return context;
    }

    @Override
    public Phase begin() {
        context.send(announced);
        return this;
    }

    @Override
    public Phase turn(long now) {
        run.look();
        Optional<String> gone = context.parts().guest().ended();
        if (gone.isPresent()) {
            return end(ErrorCode.GUEST_ENDED, gone.get(), Side.TARGET);
        }
        return now - deadline < 0 ? this
                : end(ErrorCode.DEADLINE, "no grant in time", Side.SOURCE);
    }

    @Override
    public Phase on(Message message) {
        return switch (message) {
            case Message.Grant grant when grant.epoch() == context.epoch() -> granted(grant);
            case Message.Grant grant -> {
                context.send(new Message.StatusUnknown(grant.epoch(),
                        "the epoch here is " + context.epoch()));
                yield this;
            }
            case Message.Status status -> {
                // READY is no answer: it may yet refuse.
                context.send(new Message.StatusUnknown(status.epoch(), "not decided yet"));
                yield this;
            }
            case Message.Farewell farewell -> this;
            default -> Phase.super.on(message);
        };
    }

    private Phase granted(Message.Grant grant) {
        context.runs(grant.run());
        try {
            context.write(JournalState.ACTIVE, "");
        } catch (IOException e) {
            // Not durable, so not active: as long as nothing ran, a refusal is still honest.
            return refuse(failed(ErrorCode.HOST_FAILED, "cannot write the journal: "
                    + e.getMessage(), Side.TARGET).causedBy(e));
        }
        context.figures().owner(Owner.TARGET, context.epoch());
        return new Activating(context, run, grant.run());
    }

    @Override
    public Phase end(ErrorCode code, String reason, Side side) {
        return refuse(failed(code, reason, side));
    }

    private Phase refuse(Outcome why) {
        run.look();
        return Refusing.of(context, run, why);
    }

    /** A bug of the source is none of ours. */
    private static Outcome failed(ErrorCode code, String reason, Side side) {
        boolean ours = code == ErrorCode.INTERNAL && side == Side.TARGET;
        return Outcome.of(ours ? Result.BUG : Result.FAILED, code, reason, side);
    }

    private static Outcome broken(RuntimeException e) {
        return failed(ErrorCode.INTERNAL, TargetContext.describe(e), Side.TARGET).causedBy(e);
    }

    @Override
    public Phase bug(RuntimeException e) {
        return Refusing.of(context, run, broken(e));
    }

    /** Refuses for ever: the source runs the guest itself. */
    @Override
    public Phase sourceBack(TargetLink fresh, long generation) {
        context.link().close();
        return end(ErrorCode.LINK_LOST, "the link was lost before the grant", Side.SOURCE);
    }

    @Override
    public Optional<Message> answerToResume() {
        return context.refusal("the guest was granted");
    }
}
