package io.pageferry.core.incoming;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.Optional;

/**
 * From J(PREPARED) to the last word: load, wait for the grant, resume or refuse. REFUSED and
 * ACTIVE exclude each other in the journal, and J(ACTIVE) precedes the first instruction.
 */
final class TargetHandover {
    private static final String LIVED_TWICE = "; somebody had let the guest run here before it was"
            + " granted, and the source's lives from before that on: what it did here is lost to"
            + " it, and what it wrote to a shared disk is not; check that disk";

    private static final String NOT_ENDED = "; and the guest here could not be ended: ";

    private final TargetContext context;
    private final long digest;
    private long deadline;
    private Message lastWord;
    private Outcome end;
    private boolean ranUnauthorised;

    TargetHandover(TargetContext context, long digest) {
        this.context = context;
        this.digest = digest;
    }

    /** J(PREPARED), load the state, READY. */
    void load(byte[] state, long walkNanos) {
        try {
            context.write(JournalState.PREPARED, "");
        } catch (IOException e) {
            refuse(ErrorCode.HOST_FAILED, "cannot write the journal: " + e.getMessage(),
                    Side.TARGET);
            return;
        }
        long before = context.now();
        try {
            context.parts.guest().loadState(state);
        } catch (GuestException e) {
            refuse(e.code(), e.getMessage(), Side.TARGET);
            return;
        }
        long loadNanos = context.now() - before;
        context.figures.loaded(state.length, walkNanos, loadNanos);
        deadline = context.now() + context.parts.options().grantNanos();
        context.enter(TargetState.READY);
        context.send(new Message.Ready(context.epoch(), digest, walkNanos, loadNanos));
    }

    /**
     * The source is back over a new link, so it runs the guest itself and this one never may: the
     * durable no, or empty where it was granted.
     */
    Optional<Message> resumed() {
        if (context.state() == TargetState.READY || context.state() == TargetState.REFUSED) {
            context.link().close();
            try {
                onEnd(ErrorCode.LINK_LOST, "the link was lost before the grant", Side.SOURCE);
            } catch (RuntimeException e) {
                onBug(e);
            }
        }
        return Optional.ofNullable(lastWord).filter(Message.Refused.class::isInstance);
    }

    void turn() {
        if (context.state() == TargetState.READY) {
            noteUnauthorisedRun();
            Optional<String> gone = context.parts.guest().ended();
            if (gone.isPresent()) {
                refuse(ErrorCode.GUEST_ENDED, gone.get(), Side.TARGET);
            } else if (context.now() - deadline >= 0) {
                refuse(ErrorCode.DEADLINE, "no grant in time", Side.SOURCE);
            }
        } else if (lastWord != null && context.now() - deadline >= 0) {
            context.finish(end);
        }
    }

    /**
     * Somebody else let the guest run, and it was paused again. Granted, it goes on from there, and
     * nothing was lived twice. Only where it is refused, what it did here is lost. Asked each time:
     * whoever did it once may do it again.
     */
    private void noteUnauthorisedRun() {
        if (context.parts.guest().ranUnauthorised() && !ranUnauthorised) {
            ranUnauthorised = true;
            context.warn("somebody let the guest run here before it was granted; it was paused"
                    + " again, and goes on from there once it is granted");
        }
    }

    void onGrant(Message.Grant grant) {
        if (grant.epoch() != context.epoch()) {
            context.send(new Message.StatusUnknown(grant.epoch(),
                    "the epoch here is " + context.epoch()));
        } else if (context.state() == TargetState.READY) {
            activate(grant.run());
        } else if (lastWord != null) {
            context.send(lastWord);
        }
    }

    void onStatus(Message.Status status) {
        if (lastWord != null && status.epoch() == context.epoch()) {
            context.send(lastWord);
        } else {
            // READY is no answer: it may yet refuse.
            context.send(new Message.StatusUnknown(status.epoch(), "not decided yet"));
        }
    }

    void onFarewell(Message.Farewell farewell) {
        if (lastWord != null && farewell.epoch() == context.epoch()) {
            context.figures.times(farewell.totalNanos(), farewell.downtimeNanos());
            context.finish(end);
        }
    }

    /** Cancel, failure or loss of the link: too late once it is granted. */
    void onEnd(ErrorCode code, String reason, Side side) {
        if (context.state() == TargetState.READY) {
            refuse(code, reason, side);
        } else if (lastWord != null && !context.link().isUp()) {
            context.finish(end);
        }
    }

    private void activate(boolean run) {
        context.runs(run);
        try {
            context.write(JournalState.ACTIVE, "");
        } catch (IOException e) {
            // Not durable, so not active: as long as nothing ran, a refusal is still honest.
            refuse(ErrorCode.HOST_FAILED, "cannot write the journal: " + e.getMessage(),
                    Side.TARGET);
            return;
        }
        context.figures.owner(Owner.TARGET, context.epoch());
        context.enter(TargetState.ACTIVE);
        long before = context.now();
        try {
            if (run) {
                context.parts.guest().resume();
            }
        } catch (GuestException e) {
            giveBack(e);
            return;
        }
        long resumeNanos = context.now() - before;
        context.figures.resumed(resumeNanos);
        context.record(JournalState.RUNNING, "");
        context.enter(TargetState.RUNNING);
        lastWord(new Message.Running(context.epoch(), resumeNanos), Outcome.completed());
    }

    private void giveBack(GuestException failed) {
        if (!failed.neverRan()) {
            lost(failed.code(), failed.getMessage());
            return;
        }
        // It was ended, so this pauses nothing any more.
        ranUnauthorised |= context.parts.guest().ranUnauthorised();
        try {
            context.parts.guest().discardOrThrow();
        } catch (GuestException e) {
            lost(e.code(), failed.getMessage() + NOT_ENDED + e.getMessage());
            return;
        }
        String reason = withStray(failed.getMessage());
        context.record(JournalState.RETURNED, reason);
        context.figures.owner(Owner.SOURCE, context.epoch());
        context.enter(TargetState.RETURNED);
        lastWord(new Message.Returned(context.epoch(), reason),
                Outcome.of(Result.FAILED, failed.code(), reason, Side.TARGET));
    }

    private void lost(ErrorCode code, String why) {
        context.finish(Outcome.of(Result.FAILED_AT_TARGET, code, "the guest was granted, and "
                + "whether it ran cannot be known: " + why + (ranUnauthorised
                ? "; somebody had let it run"
                + " here before that" : ""), Side.TARGET)
                .withRemedy("look at the guest here before starting it anywhere"));
    }

    /** Adds, aloud, what somebody's hand brought about where the source's guest goes on. */
    private String withStray(String why) {
        if (!ranUnauthorised) {
            return why;
        }
        context.warn(why + LIVED_TWICE);
        return why + LIVED_TWICE;
    }

    private void refuse(ErrorCode code, String why, Side side) {
        noteUnauthorisedRun();
        refused(code, why, side);
    }

    /** REFUSED is said, and SETTLED written, only of a guest that is known to have ended. */
    private void refused(ErrorCode code, String why, Side side) {
        // That of the source is none of ours.
        Result result = code == ErrorCode.INTERNAL && side == Side.TARGET ? Result.BUG
                : Result.FAILED;
        String reason = withStray(why);
        context.record(JournalState.REFUSED, reason);
        context.enter(TargetState.REFUSED);
        try {
            context.parts.guest().discardOrThrow();
        } catch (GuestException e) {
            context.finish(Outcome.of(result, code, reason + NOT_ENDED + e.getMessage(), side)
                    .withRemedy(e.remedy()));
            return;
        }
        context.record(JournalState.SETTLED, reason);
        lastWord(new Message.Refused(context.epoch(), reason),
                Outcome.of(result, code, reason, side));
    }

    /**
     * Something threw what it does not declare: what was decided stands, and what was not is a no.
     */
    void onBug(RuntimeException bug) {
        String why = TargetContext.describe(bug);
        if (lastWord != null) {
            context.warn(why);
            context.finish(end);
            return;
        }
        switch (context.state()) {
            case ACTIVE, RUNNING, RETURNED -> lost(ErrorCode.INTERNAL, why);
            case REFUSED -> context.bug(why);
            default -> {
                try {
                    refused(ErrorCode.INTERNAL, why, Side.TARGET);
                } catch (RuntimeException e) {
                    context.bug(why + NOT_ENDED + TargetContext.describe(e));
                }
            }
        }
    }

    private void lastWord(Message word, Outcome outcome) {
        lastWord = word;
        end = outcome;
        deadline = context.now() + context.parts.options().lastWordNanos();
        context.send(word);
        if (!context.link().isUp()) {
            context.finish(end);
        }
    }
}
