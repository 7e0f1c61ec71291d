package io.pageferry.core.outgoing;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.util.Optional;

/**
 * A link that was lost while the guest is ours: the debt goes back to dirty at once, then the
 * target is asked to go on, again with growing pauses, until the window is over. The guest runs
 * meanwhile, and nothing here waits.
 */
final class SessionResume implements LinkHandler {
    /** What came of it so far. */
    enum Step { TRYING, RESUMED, OVER }

    private static final long FIRST_PAUSE = 50_000_000L;
    private static final long MAX_PAUSE = 2_000_000_000L;

    /** Longest wait for one attempt: as long as the target gives a new connection. */
    private static final long ATTEMPT = 5_000_000_000L;

    /** For so long it is tried to say the last word: a target that hears it is clean within 2 s. */
    private static final long PARTING = 1_000_000_000L;

    /**
     * For so long the target's answer to a cancel is awaited before it is said again, over another
     * link: the one at hand may be silent, and nobody knows yet that it is lost.
     */
    static final long ANSWER = 500_000_000L;

    private final SourceContext context;
    private final LinkOpener opener;
    private Message.Welcome granted;
    private long generation;
    private boolean underWay;
    private long lostNanos;
    private long inVain;
    private long pause;
    private long nextTry;
    private long attemptEnd;
    private SourceLink candidate;
    private boolean asked;
    private boolean welcomed;
    private Outcome refusal;
    private Outcome why;
    private Outcome end;
    private long partingEnd;
    private boolean awaiting;
    private boolean answered;

    SessionResume(SourceContext context, LinkOpener opener) {
        this.context = context;
        this.opener = opener;
    }

    /** Notes what the session was granted first; returns what is wrong with it, if anything. */
    Optional<String> granted(Message.Welcome welcome, long features) {
        if (welcome.channels() < 1 || welcome.channels() > context.parts.options().channels()
                || welcome.window() < 1 || welcome.features() != features
                || welcome.generation() != 1) {
            return Optional.of("WELCOME does not grant what was asked for: " + welcome.channels()
                    + " channels, window " + welcome.window() + ", features "
                    + Long.toHexString(welcome.features()) + ", generation "
                    + welcome.generation());
        }
        granted = welcome;
        generation = welcome.generation();
        return Optional.empty();
    }

    /** Whether the migration can go on over another link: only damage on the way is forgiven. */
    boolean canSurvive(ErrorCode code) {
        boolean ours = context.state() == SourceState.PRECOPY
                || context.state() == SourceState.SWITCHOVER;
        // A mirror of a disk does not outlive its stream.
        boolean streams = (context.parts.guest().features() & Message.FEATURE_STORAGE) != 0;
        return ours && !isParting() && !streams
                && context.parts.options().reconnectNanos() > 0 && isDamage(code);
    }

    private static boolean isDamage(ErrorCode code) {
        return code == ErrorCode.LINK_LOST || code == ErrorCode.CORRUPT_FRAME;
    }

    /** Whether the link is lost and the migration, which can go on, has yet to hear of it. */
    boolean isAboutToBegin() {
        return !underWay && !context.link.isUp() && canSurvive(ErrorCode.LINK_LOST);
    }

    boolean isUnderWay() {
        return underWay;
    }

    /** The link is lost: closes it, takes the debt back, and begins to try. */
    void begin(Outcome lost) {
        why = lost;
        underWay = true;
        refusal = null;
        lostNanos = context.now();
        leave();
        pause = FIRST_PAUSE;
        nextTry = lostNanos;
        context.warn("the link is lost (" + lost.reason() + "); the guest runs on here, and the "
                + "target is tried again for "
                + context.parts.options().reconnectNanos() / 1_000_000 + " ms");
    }

    private void leave() {
        context.link.close();
        inVain = context.runner.reclaimDebt();
        context.outbox.clear();
    }

    /** Does what can be done now. */
    Step poll() {
        long now = context.now();
        if (candidate != null) {
            context.progress.worked(candidate.poll(this));
        }
        if (refusal == null && now - lostNanos >= context.parts.options().reconnectNanos()) {
            refusal = Outcome.of(why.result(), why.code(), why.reason()
                    + "; the target could not be reached again within the reconnect window",
                    why.side());
        }
        if (refusal != null) {
            close();
            underWay = false;
            return Step.OVER;
        }
        if (candidate == null) {
            if (now - nextTry >= 0) {
                dial(now);
            }
        } else if (welcomed && candidate.channelsReady()) {
            resumed(now);
            return Step.RESUMED;
        } else if (now - attemptEnd >= 0) {
            again();
        } else {
            ask();
        }
        return Step.TRYING;
    }

    /** Why it is over. */
    Outcome refusal() {
        return refusal;
    }

    /** The migration is over: nothing more is tried but to say so, for a second at most. */
    void part(Outcome with) {
        end = with;
        partingEnd = context.now() + PARTING;
        pause = FIRST_PAUSE;
        nextTry = context.now();
    }

    /** A cancel was said on a link that is up: waits for the answer, else parts over another. */
    void partOnceAnswered(Outcome with) {
        end = with;
        why = with;
        awaiting = true;
        partingEnd = context.now() + ANSWER;
    }

    boolean isParting() {
        return end != null;
    }

    /** While parting: the target's last word on the first link is an answer, whatever it is. */
    void hear(Message message) {
        answered |= message instanceof Message.Cancel || message instanceof Message.Refused
                || message instanceof Message.Failure;
    }

    /**
     * Does what can be done to say the last word; returns the end when it was, or never will. A
     * guest that ends meanwhile is the end.
     */
    Optional<Outcome> parted() {
        long now = context.now();
        context.guestEnded().ifPresent(gone -> end = gone);
        if (awaiting) {
            if (answered) {
                return Optional.of(end);
            }
            if (context.link.isUp() && now - partingEnd < 0) {
                return Optional.empty();
            }
            awaiting = false;
            underWay = true;
            leave();
            part(end);
        }
        if (candidate != null) {
            context.progress.worked(candidate.poll(this));
        }
        boolean over = refusal != null || now - partingEnd >= 0;
        if (!over && candidate == null) {
            if (now - nextTry >= 0) {
                dial(now);
            }
        } else if (!over && welcomed) {
            over = candidate.send(
                    new Message.Cancel(context.epoch(), end.code(), end.reason()));
        } else if (!over) {
            ask();
        }
        if (over) {
            close();
            underWay = false;
        }
        return over ? Optional.of(end) : Optional.empty();
    }

    /** Gives an unfinished attempt up. */
    void close() {
        if (candidate != null) {
            candidate.close();
            candidate = null;
        }
    }

    private void dial(long now) {
        candidate = opener.beginOpen().orElse(null);
        asked = false;
        welcomed = false;
        generation++;
        if (candidate == null) {
            again();
            return;
        }
        attemptEnd = now + ATTEMPT;
        ask();
    }

    private void ask() {
        if (!asked) {
            asked = candidate.send(new Message.Resume(context.parts.id(), granted.token(),
                    generation, context.epoch()));
        }
    }

    private void again() {
        close();
        nextTry = context.now() + pause;
        pause = Math.min(MAX_PAUSE, 2 * pause);
    }

    private void resumed(long now) {
        context.link.renew(candidate);
        candidate = null;
        underWay = false;
        context.figures().reconnected(inVain);
        context.log("reconnected after " + (now - lostNanos) / 1_000_000 + " ms, generation "
                + generation + ", " + inVain + " bytes to send again");
    }

    @Override
    public void onMessage(Message message) {
        switch (message) {
            case Message.Welcome welcome when !welcomed && matches(welcome) -> {
                welcomed = true;
                if (!isParting()) {
                    candidate.openChannels(welcome);
                }
            }
            case Message.RoundVerified walked when welcomed
                    && context.progress.announced(walked.round()) ->
                    context.progress.walked(walked.round());
            case Message.Refused refused -> {
                candidate.send(new Message.Farewell(refused.epoch(), 0, 0));
                refuse(ErrorCode.LINK_LOST, refused.reason());
            }
            case Message.Cancel cancel -> refuse(cancel.code(), cancel.reason());
            case Message.Failure failed -> onFailure(failed);
            case Message.Heartbeat heartbeat -> { }
            default -> refuse(ErrorCode.PROTOCOL_VIOLATION, "unexpected "
                    + message.getClass().getSimpleName() + " after RESUME");
        }
    }

    @Override
    public void onBatch(PageBatch batch) {
        refuse(ErrorCode.PROTOCOL_VIOLATION, "the target sent pages");
    }

    @Override
    public void onLost(ErrorCode code, String reason) {
        if (refusal == null) {
            again();
        }
    }

    private void onFailure(Message.Failure failed) {
        if (isDamage(failed.code()) || failed.code() == ErrorCode.BUSY) {
            again();
        } else {
            refuse(failed.code(), failed.reason());
        }
    }

    /** The same session, the generation asked for, and the channels that it had. */
    private boolean matches(Message.Welcome welcome) {
        return welcome.generation() == generation && welcome.token().equals(granted.token())
                && welcome.channels() == granted.channels() && welcome.window() >= 1
                && welcome.features() == granted.features();
    }

    private void refuse(ErrorCode code, String reason) {
        refusal = Outcome.of(Result.FAILED, code, "the link was lost (" + why.reason()
                + "), and the target does not go on: " + reason, Side.TARGET);
    }
}
