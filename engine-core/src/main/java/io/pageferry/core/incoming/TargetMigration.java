package io.pageferry.core.incoming;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageDecodeException;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.Optional;

/**
 * The target's state machine up to READY, and the frame around {@link TargetHandover}: the target
 * rows of the tables of docs/PROTOCOL.md. A duty cycle drives it: call {@link #doWork} until
 * {@link #isDone}. It starts no thread and never waits, but for the guest's own acts. One thread
 * calls everything but {@link #cancel}.
 */
public final class TargetMigration implements LinkHandler, AutoCloseable {
    private final TargetContext context;
    private final TargetParts parts;
    private Receiver receiver;
    private TargetHandover activation;
    private StateBuffer state = new StateBuffer();
    private Message.Complete complete;
    private long completeNanos;
    private boolean proving;
    private boolean mismatched;
    private long generation = 1;
    private long features;
    private long keptUntil;
    private Outcome loss;
    private volatile boolean cancelled;

    /**
     * Makes a migration that waits for its offer.
     *
     * @param parts what it works with; stays the caller's
     */
    public TargetMigration(TargetParts parts) {
        this.parts = parts;
        this.context = new TargetContext(parts);
    }

    /**
     * Does what can be done now.
     *
     * @return how much that was; 0 when there is nothing to do at the moment
     */
    public int doWork() {
        try {
            return isDone() ? 0 : turn();
        } catch (RuntimeException e) {
            onBug(e);
            return 1;
        }
    }

    private int turn() {
        int work = context.link().poll(this) + context.flush();
        if (cancelled && !isDone()) {
            onCancel();
        }
        if (context.closeIfPeerNotReading()) {
            onEnd(ErrorCode.PROTOCOL_VIOLATION, "the source reads no answer", Side.SOURCE);
        }
        if (isReceiving()) {
            parts.guest().ended().ifPresent(why -> end(ErrorCode.GUEST_ENDED, why, Side.TARGET));
        }
        if (loss != null && !isDone()) {
            work += keepTurn();
        } else if (receiver != null && activation == null && !isDone()) {
            work += receiveTurn(work == 0);
        }
        if (activation != null && !isDone()) {
            activation.turn();
        }
        return work;
    }

    /** Asks for the end; from any thread. After the grant it is too late. */
    public void cancel() {
        cancelled = true;
    }

    /** {@return whether the migration ended} */
    public boolean isDone() {
        return context.outcome() != null;
    }

    /** {@return how it ended, or empty while it goes on} */
    public Optional<Outcome> outcome() {
        return Optional.ofNullable(context.outcome());
    }

    /** {@return the state} */
    public TargetState state() {
        return context.state();
    }

    /** {@return what was measured} */
    public TargetFigures figures() {
        return context.figures;
    }

    /**
     * Takes the migration up again over a new connection. Only who shows the session's token and
     * a generation above the present one gets in; anybody else disturbs nothing. The old link is
     * closed first, and with it goes all that it still held: the source sends that again.
     *
     * @param fresh on which RESUME came
     * @param asked the message
     * @return empty when the link was taken, to be polled here from now on; else the answer to
     *         give on it, and it stays the caller's
     */
    public Optional<Message> resume(TargetLink fresh, Message.Resume asked) {
        if (isDone() || receiver == null || !context.isOurs(asked)) {
            return context.refusal("the token belongs to no session here");
        }
        if (asked.generation() <= generation || asked.epoch() < context.epoch()) {
            return context.refusal("generation " + asked.generation() + ", epoch " + asked.epoch()
                    + ": the session is at " + generation + ", epoch " + context.epoch());
        }
        if (activation != null) {
            return activation.resumed().or(() -> context.refusal("the guest was granted"));
        }
        if (mismatched) {
            return context.refusal("the image differs from what was sent");
        }
        goOn(fresh, asked.generation());
        return Optional.empty();
    }

    /** Frees what the migration made itself. */
    @Override
    public void close() {
        if (receiver != null) {
            receiver.close();
            receiver = null;
        }
    }

    @Override
    public void onMessage(Message message) {
        switch (message) {
            case Message.Hello hello when context.state() == TargetState.WAITING -> offer(hello);
            case Message.RoundEnd end when isReceiving() -> violated(receiver.barrier(end));
            case Message.Switchover begun when isOpen() -> switchover(begun);
            case Message.StateChunk chunk when isOpen() && chunk.epoch() == context.epoch() ->
                    violated(state.add(chunk));
            case Message.Complete all when isOpen() -> onComplete(all);
            case Message.PageChecksumsRequest request when mismatched -> answer(request);
            case Message.Grant grant when activation != null -> activation.onGrant(grant);
            case Message.Status status when activation != null -> activation.onStatus(status);
            case Message.Status status -> context.send(new Message.StatusUnknown(status.epoch(),
                    "still " + context.state().label()));
            case Message.Farewell farewell when activation != null ->
                    activation.onFarewell(farewell);
            case Message.Cancel end -> onEnd(context.givenUp(end), end.reason(), Side.SOURCE);
            case Message.Failure failed -> onLost(failed.code(), failed.reason());
            case Message.Heartbeat heartbeat -> { }
            default -> violated("unexpected " + message.getClass().getSimpleName() + " in "
                    + context.state());
        }
    }

    @Override
    public void onBatch(PageBatch batch) {
        if (!isOpen() || batch.generation() != generation) {
            violated("a batch of generation " + batch.generation() + " in " + context.state());
            return;
        }
        if (context.state() == TargetState.RESERVED) {
            context.enter(TargetState.RECEIVING);
        }
        try {
            receiver.apply(batch);
            context.figures.batch(batch.bytes());
            context.link().applied(batch);
            receiver.readBack();
        } catch (PageDecodeException e) {
            end(ErrorCode.PROTOCOL_VIOLATION, e.getMessage(), Side.SOURCE);
        }
    }

    @Override
    public void onLost(ErrorCode code, String reason) {
        boolean damage = code == ErrorCode.LINK_LOST || code == ErrorCode.CORRUPT_FRAME;
        long window = parts.options().reconnectNanos();
        if (!damage || window == 0 || !isReceiving() || features != 0) {
            onEnd(code, reason, Side.SOURCE);
        } else if (loss == null) {
            loss = Outcome.of(Result.FAILED, code, reason, Side.SOURCE);
            keptUntil = context.now() + window;
            context.link().close();
            context.warn("the link is lost (" + reason + "); the image is kept for "
                    + window / 1_000_000 + " ms");
        }
    }

    private void offer(Message.Hello hello) {
        context.figures.offered(new TargetFigures.Offer(hello.migrationId(),
                hello.guest(), hello.verification()));
        features = hello.features() & parts.guest().features();
        if (!context.takes(hello, features)) {
            return;
        }
        try {
            PageStore image = parts.guest().prepare(hello.guest());
            context.journal(parts.journals().open(hello.migrationId()));
            int channels = Math.min(hello.channels(), parts.options().channels());
            receiver = new Receiver(image, channels, hello.verification());
            Message.Welcome welcome = welcome();
            context.link().acceptChannels(welcome);
            context.send(welcome);
            context.enter(TargetState.RESERVED);
        } catch (GuestException e) {
            context.refuse(e.code(), e.getMessage(), e.remedy());
        } catch (IOException e) {
            parts.guest().discard();
            context.refuse(ErrorCode.HOST_FAILED, e.getMessage(), "");
        } catch (RuntimeException e) {
            onBug(e);
        }
    }

    private void onBug(RuntimeException bug) {
        if (activation != null) {
            activation.onBug(bug);
        } else {
            context.onBug(bug);
        }
    }

    private Message.Welcome welcome() {
        return new Message.Welcome(parts.token(), generation, features, receiver.channels(),
                parts.options().window());
    }

    private void goOn(TargetLink fresh, long next) {
        context.link().close();
        loss = null;
        generation = next;
        receiver.restart();
        complete = null;
        proving = false;
        state = new StateBuffer();
        context.renew(fresh);
        Message.Welcome welcome = welcome();
        fresh.resumeChannels(welcome, receiver.regions());
        context.send(welcome);
        context.log("the source is back, generation " + generation);
    }

    /** The link is lost: reads back meanwhile, and waits until the window is over. */
    private int keepTurn() {
        if (context.now() - keptUntil >= 0) {
            end(loss.code(), loss.reason() + "; the source did not come back within the reconnect "
                    + "window", Side.SOURCE);
            return 1;
        }
        return receiver.walk();
    }

    private void switchover(Message.Switchover begun) {
        if (begun.epoch() <= context.epoch()) {
            violated("epoch " + begun.epoch() + " after " + context.epoch());
            return;
        }
        context.epoch(begun.epoch());
        state = new StateBuffer();
        context.log("the source pauses the guest, epoch " + begun.epoch());
    }

    private void onComplete(Message.Complete all) {
        if (all.epoch() != context.epoch() || all.epoch() == 0
                || all.lastSequences().length != receiver.channels()) {
            violated("COMPLETE(" + all.epoch() + ") of " + all.lastSequences().length
                    + " channels in epoch " + context.epoch());
        } else if (all.leftPages() != 0) {
            violated("COMPLETE while " + all.leftPages() + " pages are still owed");
        } else if (!violated(state.check(all.state()))) {
            complete = all;
            completeNanos = context.now();
        }
    }

    /** Barrier, reading back, and the proof once COMPLETE is there. */
    private int receiveTurn(boolean idle) {
        long passed = receiver.passBarrier();
        if (passed >= 0) {
            // Not sooner: a page cannot be sent again before the next round.
            receiver.nameOwed(context::send);
            context.send(new Message.RoundApplied(passed));
        }
        int walked = idle || complete != null ? receiver.walk() : 0;
        if (complete == null) {
            long done = receiver.newlyWalked();
            if (done >= 0) {
                context.send(new Message.RoundVerified(done));
            }
        } else if (!mismatched && receiver.reached(complete.lastSequences())
                && !receiver.barrierPending()) {
            prove();
        }
        return walked + (passed >= 0 ? 1 : 0);
    }

    private void prove() {
        if (!proving) {
            proving = true;
            receiver.beginProof();
        }
        if (!receiver.isProved() || violated(receiver.owedAtTheEnd())) {
            return;
        }
        long digest = receiver.table().digest();
        context.figures.digests(complete.digest(), digest);
        context.figures.pages(receiver.pagesByCodec());
        activate(digest);
    }

    private void activate(long digest) {
        if (receiver.verifies() && digest != complete.digest()) {
            mismatched = true;
            long blockPages = Math.ceilDiv(receiver.table().pages(), Message.MAX_BLOCKS);
            context.send(new Message.Mismatch(complete.epoch(), digest, blockPages,
                    receiver.table().blockDigests(blockPages)));
            context.warn("the image differs from what was sent; nothing is loaded");
            return;
        }
        receiver.tell(parts.guest());
        activation = new TargetHandover(context, digest);
        activation.load(state.toByteArray(), context.now() - completeNanos);
    }

    private void answer(Message.PageChecksumsRequest request) {
        receiver.answer(request).ifPresentOrElse(context::send,
                () -> violated("checksums asked for page " + request.firstPage()));
    }

    private boolean isReceiving() {
        return receiver != null && activation == null && !mismatched && !isDone();
    }

    /** Whether pages and state may still come. */
    private boolean isOpen() {
        return isReceiving() && complete == null;
    }

    /** Ends the session when there is something wrong; returns whether there was. */
    private boolean violated(String what) {
        if (what == null) {
            return false;
        }
        context.send(new Message.Failure(ErrorCode.PROTOCOL_VIOLATION, what));
        onEnd(ErrorCode.PROTOCOL_VIOLATION, what, Side.SOURCE);
        return true;
    }

    private void onCancel() {
        if (activation == null) {
            context.send(new Message.Cancel(context.epoch(), ErrorCode.CANCELLED,
                    "cancelled at the target"));
        }
        onEnd(ErrorCode.CANCELLED, "cancelled at the target", Side.TARGET);
    }

    private void onEnd(ErrorCode code, String reason, Side side) {
        if (isDone()) {
            return;
        }
        if (activation != null) {
            activation.onEnd(code, reason, side);
        } else if (receiver == null) {
            context.finish(Outcome.of(Result.REFUSED, code, reason, side));
        } else {
            end(code, reason, side);
        }
    }

    /** Before READY: nothing is loaded, so the image goes and nothing is left behind. */
    private void end(ErrorCode code, String reason, Side side) {
        context.send(new Message.Cancel(context.epoch(), code, reason));
        parts.guest().discard();
        context.record(JournalState.SETTLED, reason);
        context.finish(Outcome.of(Result.FAILED, mismatched ? ErrorCode.DIGEST_MISMATCH : code,
                mismatched ? "the image differs from what was sent" : reason, side));
    }
}
