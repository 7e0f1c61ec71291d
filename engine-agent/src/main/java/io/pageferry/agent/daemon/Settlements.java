package io.pageferry.agent.daemon;

import io.pageferry.agent.daemon.store.EventLog;
import io.pageferry.agent.daemon.store.Submissions;
import io.pageferry.agent.link.Connector;
import io.pageferry.agent.report.Report;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.agent.state.settle.Settler;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.handover.Ownership;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BiPredicate;
import java.util.function.Function;

/** Settles what an agent left in the state directory that ended in the middle of moves. */
final class Settlements {
    /** Each may wait for another host. */
    private static final int THREADS = 16;

    private final StateDirectory directory;
    private final long windowNanos;
    private final Function<String, Connector> connectors;
    private final EventLog events;
    private final Submissions asked;

    /**
     * What became of a migration whose agent is gone.
     *
     * @param migration not ended yet
     * @param result    how it ended
     */
    record Settled(Migration migration, AgentResult result) { }

    Settlements(StateDirectory directory, long windowNanos,
            Function<String, Connector> connectors, EventLog events, Submissions asked) {
        this.directory = directory;
        this.windowNanos = windowNanos;
        this.connectors = connectors;
        this.events = events;
        this.asked = asked;
    }

    /**
     * Settles all journals of one side, at the same time: each may wait for another host.
     *
     * @param side  whose; targets first, as a source of this host may ask them
     * @param since milliseconds since 1970; of settled ones those from then on
     * @param known returns whether it is known already how a settled one ended
     * @return what became of them
     * @throws IOException when the folder cannot be read
     */
    List<Settled> all(Side side, long since, BiPredicate<UUID, Side> known)
            throws IOException {
        List<FileJournal> journals = directory.all(line -> { }).stream()
                .filter(journal -> journal.header().side() == side)
                .filter(journal -> !journal.ownership().settled()
                        || journal.header().createdMillis() >= since
                        && !known.test(journal.header().migration(), side)).toList();
        List<Settled> done = atOnce(journals, this::settled);
        directory.unreadable().stream().filter(one -> one.side() == side
                && !known.test(one.migration(), side)).map(this::unread).forEach(done::add);
        return done;
    }

    /**
     * Asks again for those that are in doubt, at the same time.
     *
     * @param doubts migrations
     * @return how each stands
     */
    List<Settled> again(List<Migration> doubts) {
        return atOnce(doubts, one -> new Settled(one, ask(one.id(), one.side())));
    }

    private static <T> List<Settled> atOnce(List<T> all, Function<T, Settled> settling) {
        List<Future<Settled>> pending = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(THREADS,
                Thread.ofPlatform().daemon().name("settle-", 0).factory())) {
            all.forEach(one -> pending.add(threads.submit(() -> settling.apply(one))));
        }
        List<Settled> done = new ArrayList<>();
        pending.forEach(one -> done.add(one.resultNow()));
        return done;
    }

    /** One that a guard settled, or whose agent ended before it wrote that down, is as it says. */
    private Settled settled(FileJournal journal) {
        JournalHeader header = journal.header();
        Migration migration = new Migration(header.migration(), header.side(),
                asked.find(header.migration()).filter(any -> header.side() == Side.SOURCE)
                        .map(MoveRequest::of).orElseGet(() -> new MoveRequest(header.guest(),
                                header.peer(), "", Map.of())), events);
        Ownership now = journal.ownership();
        return new Settled(migration, now.settled()
                ? result(header.side(), now.result(), "settled: the " + now.owner().label()
                        + " owns the guest") : ask(header.migration(), header.side()));
    }

    /** Its guest may be paused, and nobody but who looks knows. */
    private Settled unread(StateDirectory.Unreadable one) {
        return new Settled(new Migration(one.migration(), one.side(), new MoveRequest("", "", "",
                Map.of()), events), result(one.side(), Result.IN_DOUBT, one.why()));
    }

    /** One that was asked for, and of which there is no journal: nothing was changed. */
    Settled notBegun(Submissions.Submission one) {
        return new Settled(new Migration(one.id(), Side.SOURCE, MoveRequest.of(one), events),
                result(Side.SOURCE, Result.FAILED, "nothing of the guest had moved: ask for it"
                        + " again"));
    }

    /**
     * Asks for one migration.
     *
     * @param id   names it
     * @param side whose journal
     * @return how it stands: in doubt, with the reason, where that cannot be told
     */
    AgentResult ask(UUID id, Side side) {
        try {
            Settler.Verdict verdict = new Settler(directory.path(), id, windowNanos, connectors)
                    .ask(side);
            return result(side, verdict.result(), verdict.message());
        } catch (IOException | RuntimeException e) {
            // A journal that cannot be settled keeps no other one, and no agent, from going on.
            return result(side, Result.IN_DOUBT, e.getMessage());
        }
    }

    /**
     * Takes an operator's word.
     *
     * @param id   names it
     * @param word which side has the guest
     * @return how it stands
     * @throws IOException when journal or guest cannot be reached
     */
    AgentResult told(UUID id, Owner word) throws IOException {
        Settler settler = new Settler(directory.path(), id, windowNanos, connectors);
        Settler.Verdict verdict = word == Owner.SOURCE ? settler.fenced() : settler.givenUp();
        return result(Side.SOURCE, verdict.result(), verdict.message());
    }

    private static AgentResult result(Side side, Result result, String words) {
        Outcome outcome = result == Result.COMPLETED ? Outcome.completed()
                : Outcome.of(result, ErrorCode.INTERNAL, "the agent ended in the middle of it; "
                        + words, side).withRemedy(result == Result.IN_DOUBT
                        ? "settle it: it asks again" : "");
        return new AgentResult(outcome, Report.ofNothing(side, outcome));
    }
}
