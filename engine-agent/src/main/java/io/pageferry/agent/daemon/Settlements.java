package io.pageferry.agent.daemon;

import io.pageferry.agent.daemon.store.EventLog;
import io.pageferry.agent.link.Connector;
import io.pageferry.agent.report.Report;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.agent.state.settle.Settler;
import io.pageferry.core.handover.Owner;
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
    private final StateDirectory directory;
    private final long windowNanos;
    private final Function<String, Connector> connectors;
    private final EventLog events;

    /**
     * What became of a migration whose agent is gone.
     *
     * @param migration not ended yet
     * @param result    how it ended
     */
    record Settled(Migration migration, AgentResult result) { }

    Settlements(StateDirectory directory, long windowNanos,
            Function<String, Connector> connectors, EventLog events) {
        this.directory = directory;
        this.windowNanos = windowNanos;
        this.connectors = connectors;
        this.events = events;
    }

    /**
     * Settles all journals of one side, at the same time: each may wait for another host.
     *
     * @param side  whose; targets first, as a source of this host may ask them
     * @param known returns whether it is known already how a settled one ended
     * @return what became of them
     * @throws IOException when the folder cannot be read
     */
    List<Settled> all(Side side, BiPredicate<UUID, Side> known) throws IOException {
        List<FileJournal> journals = directory.all(line -> { }).stream()
                .filter(journal -> journal.header().side() == side)
                .filter(journal -> !journal.ownership().settled()
                        || !known.test(journal.header().migration(), side)).toList();
        List<Future<Settled>> pending = new ArrayList<>();
        List<Settled> done = new ArrayList<>();
        try (ExecutorService threads = Executors.newCachedThreadPool(
                Thread.ofPlatform().daemon().name("settle-", 0).factory())) {
            journals.forEach(one -> pending.add(threads.submit(() -> settled(one.header()))));
        }
        pending.forEach(one -> done.add(one.resultNow()));
        return done;
    }

    private Settled settled(JournalHeader header) {
        Migration migration = new Migration(header.migration(), header.side(),
                new MoveRequest(header.guest(), header.peer(), "", Map.of()), events);
        return new Settled(migration, ask(header.migration(), header.side()));
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
