package io.pageferry.core.outgoing.session;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.link.flow.Outbox;
import java.util.Optional;

/**
 * Opens further links of a session and asks on each, with RESUME, to go on: again with growing
 * pauses, each time in a higher generation. Nothing here waits.
 */
public final class Dialer implements LinkHandler {
    private static final long FIRST_PAUSE = 50_000_000L;
    private static final long MAX_PAUSE = 2_000_000_000L;

    /** Longest wait for one attempt: as long as the target gives a new connection. */
    public static final long ATTEMPT = 5_000_000_000L;

    /** How far it came. */
    public sealed interface Attempt { }

    /**
     * Between two attempts.
     *
     * @param until when to make the next
     */
    public record Pausing(long until) implements Attempt { }

    /**
     * RESUME is sent.
     *
     * @param link   on which
     * @param outbox to it
     * @param end    when it is too late for the answer
     */
    public record Asking(SourceLink link, Outbox outbox, long end) implements Attempt { }

    /**
     * The target goes on.
     *
     * @param link    on which
     * @param answer  its answer
     * @param end     when it is too late for the channels
     */
    public record Welcomed(SourceLink link, Message.Welcome answer, long end)
            implements Attempt { }

    /**
     * The data channels are being opened.
     *
     * @param link of which
     * @param end  when it is too late for them
     */
    public record Attaching(SourceLink link, long end) implements Attempt { }

    /**
     * The target does not go on.
     *
     * @param code   why
     * @param reason why, in words
     */
    public record Refused(ErrorCode code, String reason) implements Attempt { }

    private final SourceContext context;
    private final Message.Welcome granted;
    private long generation;
    private long pause = FIRST_PAUSE;
    private Attempt attempt;

    /**
     * Makes a dialer that dials once it is begun.
     *
     * @param context of the migration
     * @param granted what the session was granted first
     */
    public Dialer(SourceContext context, Message.Welcome granted) {
        this.context = context;
        this.granted = granted;
        this.generation = granted.generation();
        this.attempt = new Pausing(context.now());
    }

    /** {@return the highest generation asked for} */
    public long generation() {
        return generation;
    }

    /**
     * Begins to try, at once; an attempt under way goes on.
     *
     * @param now monotonic nanoseconds
     */
    public void begin(long now) {
        pause = FIRST_PAUSE;
        if (attempt instanceof Pausing) {
            attempt = new Pausing(now);
        }
    }

    /**
     * Does what can be done now.
     *
     * @param now monotonic nanoseconds
     * @return how far it came
     */
    public Attempt turn(long now) {
        link().ifPresent(link -> context.progress().worked(link.poll(this)));
        switch (attempt) {
            case Pausing pausing when now - pausing.until >= 0 -> dial(now);
            case Asking asking when now - asking.end >= 0 -> again();
            case Asking asking -> asking.outbox.flush();
            case Welcomed welcomed when now - welcomed.end >= 0 -> again();
            case Attaching attaching when now - attaching.end >= 0 && !attaching.link
                    .channelsReady() -> again();
            default -> { }
        }
        return attempt;
    }

    /**
     * Opens the data channels.
     *
     * @param welcomed the attempt of this turn
     */
    public void attach(Welcomed welcomed) {
        attempt = new Attaching(welcomed.link, welcomed.end);
        welcomed.link.openChannels(welcomed.answer);
    }

    /** {@return the link of the attempt, which is the caller's from now on} */
    public SourceLink takeLink() {
        SourceLink taken = link().orElseThrow();
        attempt = new Pausing(context.now());
        return taken;
    }

    /** Gives an unfinished attempt up. */
    public void close() {
        link().ifPresent(SourceLink::close);
        attempt = new Pausing(context.now());
    }

    private Optional<SourceLink> link() {
        return switch (attempt) {
            case Asking asking -> Optional.of(asking.link);
            case Welcomed welcomed -> Optional.of(welcomed.link);
            case Attaching attaching -> Optional.of(attaching.link);
            case Pausing pausing -> Optional.empty();
            case Refused refused -> Optional.empty();
        };
    }

    private void dial(long now) {
        generation++;
        Optional<SourceLink> opened = context.parts().opener().beginOpen();
        if (opened.isEmpty()) {
            again();
            return;
        }
        Outbox outbox = new Outbox(opened.get());
        attempt = new Asking(opened.get(), outbox, now + ATTEMPT);
        outbox.send(new Message.Resume(context.parts().id(), granted.token(), generation,
                context.epoch()));
    }

    private void again() {
        close();
        attempt = new Pausing(context.now() + pause);
        pause = Math.min(MAX_PAUSE, 2 * pause);
    }

    @Override
    public void onMessage(Message message) {
        if (link().isEmpty()) {
            return; // The attempt ended with a message before this one.
        }
        switch (message) {
            case Message.Welcome welcome when attempt instanceof Asking asking
                    && matches(welcome) ->
                    attempt = new Welcomed(asking.link, welcome, asking.end);
            case Message.RoundVerified verified when !(attempt instanceof Asking)
                    && context.progress().announced(verified.round()) ->
                    context.progress().walked(verified.round());
            case Message.Refused refused -> {
                link().ifPresent(link ->
                        link.send(new Message.Farewell(refused.epoch(), 0, 0)));
                refuse(ErrorCode.LINK_LOST, refused.reason());
            }
            case Message.Cancel cancel -> refuse(cancel.code(), cancel.reason());
            case Message.Failure failed when SourceContext.isDamage(failed.code())
                    || failed.code() == ErrorCode.BUSY -> again();
            case Message.Failure failed -> refuse(failed.code(), failed.reason());
            case Message.Heartbeat heartbeat -> { }
            case Message.MemoryAccess access when !(attempt instanceof Asking) ->
                    context.figures().targetAccess(access.way());
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
        if (link().isPresent()) {
            again();
        }
    }

    /** The same session, the generation asked for, and as many channels as before. */
    private boolean matches(Message.Welcome welcome) {
        return welcome.generation() == generation && welcome.token().equals(granted.token())
                && welcome.channels() == granted.channels() && welcome.window() >= 1
                && welcome.features() == granted.features();
    }

    private void refuse(ErrorCode code, String reason) {
        close();
        attempt = new Refused(code, reason);
    }
}
