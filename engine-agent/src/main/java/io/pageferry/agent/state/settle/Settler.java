package io.pageferry.agent.state.settle;

import io.pageferry.agent.link.AgentLoop;
import io.pageferry.agent.link.Connector;
import io.pageferry.agent.link.FiniteAgent;
import io.pageferry.agent.state.guard.Recovery;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.HeldLock;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.StatusQuery;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/**
 * Settles a migration whose agent is gone: repeats the act that the journal asks for, asks the
 * target what became of a grant, or takes an operator's word.
 */
public final class Settler {
    private final StateDirectory directory;
    private final UUID migration;
    private final long windowNanos;
    private final List<String> said = new ArrayList<>();
    private final Function<String, Connector> roads;

    /**
     * What came of it.
     *
     * @param result  how the migration stands
     * @param owner   {@code source}, {@code target} or {@code unknown}
     * @param message one line
     */
    public record Verdict(Result result, String owner, String message) { }

    /**
     * Makes a settler.
     *
     * @param stateDirectory folder, or null for the user's
     * @param migration      names it
     * @param windowNanos    longest wait for the target's answer, or for a lock to become free
     * @param roads          leads to the peer of the journal; null where only the program that
     *                       moved the guest knows how to get there
     * @throws IOException when the folder cannot be used
     */
    public Settler(Path stateDirectory, UUID migration, long windowNanos,
            Function<String, Connector> roads) throws IOException {
        this.directory = StateDirectory.open(stateDirectory);
        this.migration = migration;
        this.windowNanos = windowNanos;
        this.roads = roads;
    }

    /**
     * Does what the journals ask for; where that is to wait for the target, asks it.
     *
     * @return the verdict
     * @throws IOException when a journal or the guest cannot be reached
     */
    public Verdict ask() throws IOException {
        Side side = directory.find(migration, Side.SOURCE).isPresent() ? Side.SOURCE : Side.TARGET;
        try (Taken taken = take(side)) {
            FileJournal journal = taken.journal();
            Recovery recovery = recovery(journal);
            if (side == Side.SOURCE && isGranted(journal)) {
                return askTarget(journal, recovery);
            }
            return inWords(recovery.run());
        }
    }

    /**
     * An operator's word: the target can never run the guest.
     *
     * @return the verdict
     * @throws IOException when the journal or the guest cannot be reached
     */
    public Verdict fenced() throws IOException {
        try (Taken taken = take(Side.SOURCE)) {
            FileJournal journal = taken.journal();
            if (!isGranted(journal)) {
                return inWords(recovery(journal).run());
            }
            return inWords(recovery(journal).own(
                    epoch(journal) + 1, "an operator said that the target is fenced"));
        }
    }

    /**
     * An operator's word: the target runs the guest.
     *
     * @return the verdict
     * @throws IOException when the journal or the guest cannot be reached
     */
    public Verdict givenUp() throws IOException {
        try (Taken taken = take(Side.SOURCE)) {
            FileJournal journal = taken.journal();
            if (!isGranted(journal)) {
                return inWords(recovery(journal).run());
            }
            return inWords(recovery(journal).done(
                    epoch(journal), "an operator said that the target runs it"));
        }
    }

    private Verdict askTarget(FileJournal journal, Recovery recovery) throws IOException {
        Optional<Connector> known = Optional.ofNullable(roads.apply(journal.header().peer()));
        if (known.isEmpty()) {
            return new Verdict(Result.IN_DOUBT, "unknown", "in doubt: the target '"
                    + journal.header().peer() + "' was reached by a program's own transport; let"
                    + " that program settle it, or say --source --target-is-fenced or --target");
        }
        Answer answer = new Answer();
        try (Connector.Access connector = known.get().open();
                StatusQuery settlement = new StatusQuery(migration, epoch(journal),
                        connector, null,
                        new StatusQuery.Window(System.nanoTime(), windowNanos))) {
            AgentLoop.run(new Asking(settlement, answer));
            if (answer.word == null) {
                return new Verdict(Result.IN_DOUBT, "unknown", "no answer from the target "
                        + journal.header().peer() + (answer.said.isEmpty() ? "" : " but: "
                        + answer.said) + "; the guest stays paused. When the target is certain to"
                        + " be off: --source --target-is-fenced");
            }
            Result result = answer.word instanceof Message.Running
                    ? recovery.done(epoch(journal), "the target runs it")
                    : recovery.own(epoch(journal) + 1, "the target gave it back");
            settlement.tell(new Message.Farewell(epoch(journal), 0, 0));
            return inWords(result);
        }
    }

    /** Asks the target until it answered, or the window is over. */
    private record Asking(StatusQuery query, Answer answer) implements FiniteAgent {
        @Override
        public int doWork() {
            return query.step(System.nanoTime(), answer);
        }

        @Override
        public boolean isDone() {
            return answer.word != null || query.isOver(System.nanoTime());
        }

        @Override
        public String roleName() {
            return "settle";
        }
    }

    /** A journal and, where it outlives its agent, the guest: nobody else works on them. */
    private record Taken(FileJournal journal, Optional<HeldLock> guest) implements AutoCloseable {
        @Override
        public void close() {
            guest.ifPresent(HeldLock::close);
            journal.close();
        }
    }

    private Taken take(Side side) throws IOException {
        FileJournal journal = directory.takeOver(migration, side).orElseThrow(
                () -> new IOException("migration " + migration
                        + " is being worked on: its agent or guard is alive"));
        String identity = journal.header().recoveryAddress().get(JournalHeader.IDENTITY);
        if (identity == null) {
            return new Taken(journal, Optional.empty());
        }
        Optional<HeldLock> guest = directory.lockGuest(identity);
        if (guest.isEmpty()) {
            journal.close();
            throw new IOException("another migration of this guest is under way: wait for it, "
                    + "then settle this one");
        }
        return new Taken(journal, guest);
    }

    private static boolean isGranted(FileJournal journal) {
        return journal.last().map(last -> last.state() == JournalState.GRANTED).orElse(false);
    }

    private static long epoch(FileJournal journal) {
        return journal.decision().map(JournalRecord::epoch).orElse(0L);
    }

    private Recovery recovery(FileJournal journal) {
        return new Recovery(journal, said::add, windowNanos);
    }

    /** With what kept the guest from going on. */
    private Verdict inWords(Result result) {
        Verdict verdict = verdict(result);
        if (result != Result.IN_DOUBT || said.isEmpty()) {
            return verdict;
        }
        return new Verdict(result, verdict.owner(), verdict.message() + " ("
                + said.getLast().replaceFirst("^pageferry: ", "") + ")");
    }

    private static Verdict verdict(Result result) {
        return switch (result) {
            case COMPLETED -> new Verdict(result, "target", "settled: the target owns the guest");
            case IN_DOUBT -> new Verdict(result, "unknown", "still in doubt: the guest is paused");
            case GUEST_ENDED -> new Verdict(result, "source", "settled: the guest has ended");
            case FAILED_AT_TARGET -> new Verdict(result, "target",
                    "the target owned the guest and it is gone: decide what to start");
            default -> new Verdict(result, "source", "settled: the source owns the guest");
        };
    }

    /** Waits for the target's durable word. */
    private static final class Answer implements LinkHandler {
        private Message word;
        private String said = "";

        @Override
        public void onMessage(Message message) {
            switch (message) {
                case Message.Running running -> word = running;
                case Message.Refused refused -> word = refused;
                case Message.Returned returned -> word = returned;
                case Message.StatusUnknown unknown -> said = unknown.reason();
                default -> { }
            }
        }

        @Override
        public void onBatch(PageBatch batch) {
            // No pages come to somebody who only asks.
        }

        @Override
        public void onLost(ErrorCode code, String reason) {
            said = reason;
        }
    }
}
