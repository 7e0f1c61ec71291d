package io.pageferry.agent.session;

import io.pageferry.agent.link.FiniteAgent;
import io.pageferry.agent.report.Report;
import io.pageferry.agent.state.guard.GuardException;
import io.pageferry.agent.state.journal.MigrationJournal;
import io.pageferry.core.handover.Journal;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.incoming.TargetMigration;
import io.pageferry.core.incoming.session.TargetFigures;
import io.pageferry.core.incoming.session.TargetParts;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.migration.Verification;
import java.io.IOException;
import java.util.Optional;
import java.util.UUID;
import org.agrona.CloseHelper;
import org.agrona.concurrent.SystemNanoClock;

/** Takes one guest into a slot: from its offer to the end of the migration, and its activation. */
final class TargetSession implements FiniteAgent {
    private final TargetSlot slot;
    private final UUID id;
    private final TargetMigration migration;
    private TargetLink link;
    private MigrationJournal journal;
    private End end;
    private boolean heard;
    private boolean cancelled;

    /**
     * How the migration ended.
     *
     * @param outcome      of it, or of the activation that followed; null while that runs
     * @param arrived      whether it completed
     * @param here         whether the guest is this host's: it arrived, or was lost here
     * @param unheardNanos how long the source may come back for a last word that it has not got
     */
    private record End(Outcome outcome, boolean arrived, boolean here, long unheardNanos) {
        End with(Outcome other) {
            return new End(other, arrived, here, unheardNanos);
        }
    }

    TargetSession(TargetSlot slot, TargetLink link, UUID id) {
        this.slot = slot;
        this.link = link;
        this.id = id;
        link.streams().ifPresent(slot.guest()::streamsOver);
        this.migration = new TargetMigration(new TargetParts(link, slot.guest(), this::journal,
                UUID.randomUUID(), SystemNanoClock.INSTANCE, slot.listener(),
                slot.settings().options(), slot::isWarm));
    }

    UUID id() {
        return id;
    }

    /** Takes what the link delivers while another object polls it. */
    LinkHandler handler() {
        return migration;
    }

    /** Takes the migration up again over another link, or returns why not. */
    Optional<Message> resume(TargetLink fresh, Message.Resume asked) {
        Optional<Message> refusal = migration.resume(fresh, asked);
        if (refusal.isEmpty()) {
            // The migration closed the old one.
            link = fresh;
        }
        return refusal;
    }

    /** Answers from memory; not what it left to be done when it ended. */
    Optional<Message> answer(Message.Status asked) {
        return Optional.ofNullable(journal).map(MigrationJournal::ownership)
                .filter(now -> end == null || now.settled()).map(now -> now.answer(asked));
    }

    /** The source knows how it ended. */
    void onFarewell() {
        heard = true;
    }

    void cancel() {
        cancelled = true;
    }

    private Journal journal(UUID migrationId) throws IOException {
        journal = slot.journal(migrationId);
        watch();
        return journal;
    }

    private void watch() throws IOException {
        try {
            slot.watch(id);
        } catch (GuardException e) {
            throw new IOException(e.line(), e);
        }
    }

    @Override
    public int doWork() {
        if (end == null) {
            keepGuard();
            if (cancelled) {
                migration.cancel();
            }
            int work = migration.doWork();
            slot.room().arrived(PageGeometry.bytesOf(migration.figures().pages()));
            migration.outcome().ifPresent(this::onEnd);
            return work;
        }
        if (end.outcome() == null) {
            activate();
        }
        return 0;
    }

    /**
     * A guest that is loaded when its agent dies is ended by its guard, so there is always one;
     * where there can be none, nothing is loaded.
     */
    private void keepGuard() {
        if (journal == null || !slot.guard().isLost()) {
            return;
        }
        slot.listener().on(MigrationEvent.warn("the guard process ended; another one is started"));
        try {
            watch();
        } catch (IOException e) {
            slot.listener().on(MigrationEvent.warn(e.getMessage()));
            slot.guard().dismiss();
            migration.cancel();
        }
    }

    private void onEnd(Outcome ended) {
        boolean silent = journal != null && ended.isGuestSilent()
                && ended.result() == Result.FAILED_AT_TARGET;
        Outcome outcome = silent ? slot.guard().staysAfter(id, ended) : ended;
        boolean arrived = outcome.result() == Result.COMPLETED;
        boolean activates = arrived && slot.settings().activate() != null;
        boolean here = arrived || outcome.result() == Result.FAILED_AT_TARGET;
        end = new End(activates ? null : remarked(outcome, here), arrived, here,
                unheardNanos(outcome, migration.figures()));
        link.close();
        slot.room().release();
        if (end.here()) {
            slot.guard().release();
        }
        if (journal != null) {
            if (!silent) {
                slot.guard().dismiss();
            }
            CloseHelper.close(journal);
        }
        if (activates) {
            slot.listener().on(MigrationEvent.info("the guest is here; --activate runs: "
                    + slot.settings().activate()));
        }
    }

    /** What is left here is said with the end, where it is one that came to nothing. */
    private Outcome remarked(Outcome outcome, boolean here) {
        Optional<String> remark = slot.guest().remark(here);
        if (here) {
            remark.ifPresent(line -> slot.listener().on(MigrationEvent.info(line)));
            return outcome;
        }
        return remark.map(line -> outcome.withRemedy(outcome.remedy().isEmpty() ? line
                : outcome.remedy() + "; " + line)).orElse(outcome);
    }

    private long unheardNanos(Outcome outcome, TargetFigures figures) {
        if (outcome.result() == Result.COMPLETED) {
            return figures.totalNanos() == 0 ? slot.settings().options().lastWordNanos() : 0;
        }
        if (journal == null || figures.isHeard()) {
            return 0;
        }
        return switch (journal.decision().map(JournalRecord::state).orElse(null)) {
            case REFUSED -> slot.settings().options().reconnectNanos();
            // Its source was granted, and asks for a settle window.
            case RETURNED -> slot.settings().options().lastWordNanos();
            case null, default -> 0;
        };
    }

    private void activate() {
        try {
            if (slot.guest().activated(slot.settings().activate(), cancelled)) {
                end = end.with(Outcome.completed());
            }
        } catch (GuestException e) {
            end = end.with(Outcome.of(Result.FAILED_AT_TARGET, e.code(), e.getMessage(),
                    Side.TARGET).withRemedy(e.remedy()));
        }
    }

    /** Returns whether it ended; what follows may be asked from then on. */
    @Override
    public boolean isDone() {
        return end != null && end.outcome() != null;
    }

    Outcome outcome() {
        return end.outcome();
    }

    /** Returns whether a page of it came: until then there is no migration, only words. */
    boolean counts() {
        return end.outcome().result() != Result.REFUSED;
    }

    /** Returns whether it has made or started something. */
    boolean hasBegun() {
        return journal != null;
    }

    boolean hasArrived() {
        return end.arrived();
    }

    boolean isHere() {
        return end.here();
    }

    /** Returns whether a guest arrived that its activation lost. */
    boolean isActivationFailed() {
        return end.arrived() && end.outcome().result() != Result.COMPLETED;
    }

    /** How long the source may come back for a last word, as long as it {@link #isHeard} not. */
    long unheardNanos() {
        return end.unheardNanos();
    }

    boolean isHeard() {
        return heard;
    }

    /** Reports it, with the guest's self-check; for a migration that counts. */
    AgentResult result(long startupNanos) {
        TargetFigures figures = migration.figures();
        Report.Choices choices = new Report.Choices(Optional.empty(), Optional.empty(), 1,
                Optional.empty(), slot.settings().listen().transport(),
                slot.settings().listen().tls(),
                Verification.values()[figures.verification()], slot.guest().memoryAccess());
        return new AgentResult(end.outcome(), Report.ofTarget(new Report.Begin(
                figures.migrationId().orElseThrow(), figures.guest().orElseThrow(), choices,
                startupNanos), end.outcome(), figures, new Report.OfGuest(slot.guest().check(),
                Optional.empty(), slot.guest().afterResume(), Optional.empty(),
                Optional.empty())));
    }

    @Override
    public String roleName() {
        return "target " + id;
    }

    /** Closes what it opened. Idempotent. */
    @Override
    public void onClose() {
        CloseHelper.closeAll(link, migration, journal);
    }
}
