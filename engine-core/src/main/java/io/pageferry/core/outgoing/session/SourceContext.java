package io.pageferry.core.outgoing.session;

import io.pageferry.core.codec.page.PageEncoder;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.MigrationFigures;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.flow.Outbox;
import io.pageferry.core.link.flow.RenewableLink;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationEvent.RoundEnded;
import io.pageferry.core.migration.MigrationEvent.StateEntered;
import io.pageferry.core.migration.MigrationSnapshot;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.precopy.GuestThrottle;
import io.pageferry.core.precopy.RateLimiter;
import io.pageferry.core.precopy.RoundCounter;
import io.pageferry.core.precopy.RoundRunner;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.round.RoundStats;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Keeps what the phases of one source migration share: parts, epoch, record, links. */
public final class SourceContext implements AutoCloseable {
    /** How often the guest is asked whether it still lives. */
    private static final long GUEST_CHECK_NANOS = 50_000_000L;

    /** How often it is asked whether it was changed. */
    private static final long CHANGE_CHECK_NANOS = 500_000_000L;

    private final SourceParts parts;
    private final Outbox outbox;
    private final Progress progress = new Progress();
    private final RoundRunner runner;
    private final RenewableLink link;
    private final GuestThrottle throttle;
    private final PresentLimits limits;
    private final List<Runnable> closers = new ArrayList<>();
    private final Losses losses = new Losses();
    private final long startNanos;
    private long reclaimedBytes;
    private long epoch;
    private boolean ran;
    private boolean lateCancelNoted;
    private long nextGuestCheck;
    private long nextChangeCheck;

    /**
     * Begins with the parts of a migration.
     *
     * @param given stays the caller's
     */
    public SourceContext(SourceParts given) {
        this.link = new RenewableLink(given.link());
        this.parts = given.over(link);
        this.outbox = new Outbox(link);
        MigrationLimits limited = parts.options().limits();
        this.runner = new RoundRunner(parts.guest().memory(), parts.guest().tracker(),
                encoders(parts), new RateLimiter(parts.clock(), limited.bandwidth()));
        this.throttle = new GuestThrottle(parts.guest().throttle(), limited.throttling());
        this.limits = new PresentLimits(limited, this);
        this.startNanos = parts.clock().nanoTime();
        this.nextGuestCheck = startNanos;
        this.nextChangeCheck = startNanos + CHANGE_CHECK_NANOS;
    }

    /** One for each data channel: so many lanes can encode at once. */
    private static List<PageEncoder> encoders(SourceParts parts) {
        int lanes = parts.options().channels();
        return Stream.generate(() -> new PageEncoder(parts.options().codec(),
                parts.options().deltaCacheBytes() / lanes, parts.clock())).limit(lanes).toList();
    }

    /** {@return what the migration works with; its link is the present one} */
    public SourceParts parts() {
        return parts;
    }

    /** {@return the messages to the target} */
    public Outbox outbox() {
        return outbox;
    }

    /** {@return what was reported and measured} */
    public Progress progress() {
        return progress;
    }

    /** {@return the pages' way to the link} */
    public RoundRunner runner() {
        return runner;
    }

    /** {@return the link, whichever it is at present} */
    public RenewableLink link() {
        return link;
    }

    /** {@return what slows the guest down} */
    public GuestThrottle throttle() {
        return throttle;
    }

    /** {@return the limits that hold, and those that are asked for} */
    public PresentLimits limits() {
        return limits;
    }

    /** {@return when the migration began} */
    public long startNanos() {
        return startNanos;
    }

    /** {@return the attempt to switch over, 0 before the first} */
    public long epoch() {
        return epoch;
    }

    /** {@return whether the guest ran before it was paused: only what ran is ever resumed} */
    public boolean ran() {
        return ran;
    }

    /** {@return what was measured} */
    public MigrationFigures figures() {
        return progress.figures();
    }

    /**
     * Begins an attempt, with J(SWITCHOVER).
     *
     * @param guestRan whether the guest runs
     * @param why      it is paused
     * @throws IOException when the record may not be durable: nothing was changed
     */
    public void beginEpoch(boolean guestRan, String why) throws IOException {
        parts.journal().write(
                new JournalRecord(JournalState.SWITCHOVER, epoch + 1, guestRan, why));
        ran = guestRan;
        epoch++;
        figures().owner(Owner.SOURCE, epoch);
    }

    /**
     * Announces a new state; from the pause on the guest is not slowed down.
     *
     * @param next the state
     */
    public void announce(SourceState next) {
        if (next != SourceState.NEGOTIATING && next != SourceState.PRECOPY) {
            liftThrottle();
        }
        parts.listener().on(new StateEntered(next.label(), epoch));
    }

    /**
     * Publishes a round that ended.
     *
     * @param round what it did
     */
    public void publish(RoundStats round) {
        figures().add(round);
        parts.listener().on(new RoundEnded(round));
    }

    /**
     * Makes a snapshot, for the listener too.
     *
     * @param state the present one
     * @return where the migration is
     */
    public MigrationSnapshot publish(SourceState state) {
        RoundCounter round = runner.counter();
        Optional<RoundStats> last = figures().lastRound();
        MigrationSnapshot now = new MigrationSnapshot(Outcome.Side.SOURCE, state.label(), epoch,
                round.round(), round.dirtyPages(), runner.handled(), figures().wireBytes(),
                last.map(RoundStats::wireBytesPerSecond).orElse(0.0),
                last.map(RoundStats::dirtyBytesPerSecond).orElse(0.0), throttle.percent(),
                progress.predictedNanos(), progress.predictedMedianNanos(), progress.walked());
        parts.listener().onCycle(now);
        return now;
    }

    /** Slows the guest down no more. */
    public void liftThrottle() {
        throttle.lift(now());
        figures().slowdown(throttle.stolenNanos(), throttle.lastedNanos(),
                throttle.maxPercent());
    }

    /**
     * Looks now and then whether the guest ended by itself. Asked as long as it runs here, also
     * where only an answer of the target is outstanding.
     *
     * @return how that ends the migration, or empty
     */
    public Optional<Outcome> guestEnded() {
        if (now() - nextGuestCheck < 0) {
            return Optional.empty();
        }
        nextGuestCheck = now() + GUEST_CHECK_NANOS;
        return parts.guest().ended().map(why -> Outcome.of(Outcome.Result.GUEST_ENDED,
                ErrorCode.GUEST_ENDED, why, Outcome.Side.SOURCE));
    }

    /**
     * Looks now and then whether the guest can still be moved.
     *
     * @throws GuestException when it was changed, and cannot be moved like this
     */
    public void requireUnchanged() throws GuestException {
        if (now() - nextChangeCheck >= 0 && parts.guest().ended().isEmpty()) {
            nextChangeCheck = now() + CHANGE_CHECK_NANOS;
            parts.guest().requireUnchanged();
        }
    }

    /**
     * Writes a record whose act is right whether or not it reaches the disk.
     *
     * @param what the record
     * @param of   its epoch
     * @param note why
     */
    public void record(JournalState what, long of, String note) {
        try {
            parts.journal().write(new JournalRecord(what, of, ran, note));
        } catch (IOException e) {
            warn("cannot write " + what + " to the journal: " + e.getMessage());
        }
    }

    /**
     * Sends the barrier of a round.
     *
     * @param round every batch of which was sent
     */
    public void sendBarrier(long round) {
        progress.announce(round);
        outbox.send(new Message.RoundEnd(round, link.pages().lastSequences()));
    }

    /**
     * Sends the target that the migration is over.
     *
     * @param why it is
     */
    public void tellTarget(Outcome why) {
        outbox.send(new Message.Cancel(epoch, why.code(), why.reason()));
    }

    /**
     * Takes the figures of a READY and checks its image.
     *
     * @param ready       the message
     * @param pausedNanos for so long the guest is paused; bounds the times in the message
     * @return whether its image is what was sent
     */
    public boolean accepts(Message.Ready ready, long pausedNanos) {
        figures().add(MigrationFigures.Part.VERIFY, Math.min(ready.walkNanos(), pausedNanos));
        figures().add(MigrationFigures.Part.STATE_LOAD,
                Math.min(ready.loadNanos(), pausedNanos));
        return !parts.options().verification().isAsked() || digestIs(ready.digest());
    }

    /**
     * Compares the target's digest with that of what was sent.
     *
     * @param target the target's
     * @return whether they are equal
     */
    public boolean digestIs(long target) {
        long ours = runner.sent().digest();
        figures().digests(ours, target, runner.sent().pages());
        return ours == target;
    }

    /**
     * Returns whether a migration whose guest is ours can go on over another link: only damage on
     * the way is forgiven.
     *
     * @param code why the link was lost
     * @return true when it can
     */
    public boolean survives(ErrorCode code) {
        // A mirror of a disk does not outlive its stream.
        boolean streams = (parts.guest().features() & Message.FEATURE_STORAGE) != 0;
        return !streams && parts.options().reconnectNanos() > 0 && isDamage(code);
    }

    /** Whether a link was damaged on the way, and neither side broke a rule. */
    static boolean isDamage(ErrorCode code) {
        return code == ErrorCode.LINK_LOST || code == ErrorCode.CORRUPT_FRAME;
    }

    /** {@return whether the link is lost and the phase, which survives that, not yet notified} */
    public boolean isLossAhead() {
        return !link.isUp() && survives(ErrorCode.LINK_LOST);
    }

    /**
     * Closes a link that is lost and takes back what it owes.
     *
     * @return the bytes that are to be sent again
     */
    public long leaveLink() {
        link.close();
        long bytes = runner.reclaimDebt();
        reclaimedBytes += bytes;
        losses.lost(now(), link.pages().wireBytes() - reclaimedBytes, bytes);
        outbox.clear();
        return bytes;
    }

    /** {@return how links were lost so far} */
    public Losses losses() {
        return losses;
    }

    /** Warns, once, that a cancel came after the grant. */
    public void noteLateCancel() {
        if (!lateCancelNoted) {
            lateCancelNoted = true;
            warn("too late to cancel: the target may run the guest already; going on");
        }
    }

    /**
     * Keeps something open until the migration is closed.
     *
     * @param closer closes it
     */
    public void onClose(Runnable closer) {
        closers.add(closer);
    }

    /** Closes what was opened on the way; the first link is the caller's. */
    @Override
    public void close() {
        closers.forEach(Runnable::run);
        if (link.isRenewed()) {
            link.close();
        }
        runner.close();
    }

    /**
     * Logs a line.
     *
     * @param line of interest
     */
    public void log(String line) {
        parts.listener().on(MigrationEvent.info(line));
    }

    /**
     * Logs a warning.
     *
     * @param line for the operator
     */
    public void warn(String line) {
        parts.listener().on(MigrationEvent.warn(line));
    }

    /**
     * Names a limit for a reason.
     *
     * @param limit that was passed
     * @return its name
     */
    public String name(Wording.Limit limit) {
        return parts.options().wording().name(limit);
    }

    /**
     * Returns what to do about this migration.
     *
     * @param remedy what helps
     * @return one line
     */
    public String advice(Wording.Remedy remedy) {
        return parts.options().wording().advice(remedy, parts.id());
    }

    /** {@return the time, in monotonic nanoseconds} */
    public long now() {
        return parts.clock().nanoTime();
    }
}
