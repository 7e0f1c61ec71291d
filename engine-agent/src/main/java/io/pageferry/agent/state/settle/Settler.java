package io.pageferry.agent.state.settle;

import io.pageferry.agent.link.Connector;
import io.pageferry.agent.state.guard.JournaledMigration;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.handover.Recovery;
import io.pageferry.core.handover.Recovery.Doubt;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Settles a migration whose agent is gone: repeats the act that the journal asks for, asks the
 * target what became of a grant, or takes an operator's word.
 */
public final class Settler {
    private final StateDirectory directory;
    private final UUID migration;
    private final long windowNanos;
    private final Function<String, Connector> connectors;

    /**
     * What came of the settling.
     *
     * @param result  how the migration stands
     * @param owner   the owner of the guest, as far as is known here
     * @param message one line
     */
    public record Verdict(Result result, Owner owner, String message) { }

    /**
     * Makes a settler.
     *
     * @param stateDirectory folder, or null for the user's
     * @param migration      names it
     * @param windowNanos    longest wait for the target's answer, or for a lock to become free
     * @param connectors          leads to the peer of the journal; null where only the program that
     *                       moved the guest knows how to get there
     * @throws IOException when the folder cannot be used
     */
    public Settler(Path stateDirectory, UUID migration, long windowNanos,
            Function<String, Connector> connectors) throws IOException {
        this.directory = StateDirectory.open(stateDirectory);
        this.migration = migration;
        this.windowNanos = windowNanos;
        this.connectors = connectors;
    }

    /**
     * Does what the journals ask for; where that is to wait for the target, asks it.
     *
     * @return the verdict
     * @throws IOException when a journal or the guest cannot be reached
     */
    public Verdict ask() throws IOException {
        return ask(directory.find(migration, Side.SOURCE).isPresent() ? Side.SOURCE : Side.TARGET);
    }

    /**
     * Does the same for one side, where a migration has both here.
     *
     * @param side whose journal
     * @return the verdict
     * @throws IOException when the journal or the guest cannot be reached
     */
    public Verdict ask(Side side) throws IOException {
        Optional<FileJournal> source = directory.find(migration, side);
        if (side == Side.TARGET || source.isEmpty()) {
            return settle(side, Doubt.STAY_PAUSED, null, "");
        }
        String peer = source.get().header().peer();
        Connector connector = connectors.apply(peer);
        return settle(Side.SOURCE, connector == null ? Doubt.STAY_PAUSED : Doubt.ASK_TARGET,
                connector, peer);
    }

    /**
     * An operator's word: the target can never run the guest.
     *
     * @return the verdict
     * @throws IOException when the journal or the guest cannot be reached
     */
    public Verdict fenced() throws IOException {
        return settle(Side.SOURCE, Doubt.TARGET_IS_FENCED, null, "");
    }

    /**
     * An operator's word: the target runs the guest.
     *
     * @return the verdict
     * @throws IOException when the journal or the guest cannot be reached
     */
    public Verdict givenUp() throws IOException {
        return settle(Side.SOURCE, Doubt.TARGET_RUNS_IT, null, "");
    }

    private Verdict settle(Side side, Doubt doubt, Connector connector, String peer)
            throws IOException {
        List<String> said = new ArrayList<>();
        try (Recovery recovery = new Recovery(
                new JournaledMigration(directory, migration, side, connector, any -> false),
                new Recovery.Options(doubt, 0, windowNanos), SystemNanoClock.INSTANCE,
                said::add)) {
            JournaledMigration.run(recovery);
            if (recovery.missing().isPresent()) {
                throw new IOException(recovery.missing().get() == Recovery.Lock.JOURNAL
                        ? "migration " + migration
                        + " is being worked on: its agent or guard is alive" + pending(side)
                        : "another migration of this guest is under way: wait for it, "
                        + "then settle this one");
            }
            Result result = recovery.result().orElseThrow();
            if (result != Result.IN_DOUBT) {
                return new Verdict(result, recovery.ownership().owner(), words(result));
            }
            if (recovery.ownership().state() == JournalState.GRANTED) {
                return new Verdict(result, Owner.UNKNOWN, connector == null
                        ? byProgram(peer) : unanswered(peer, recovery.unanswered()));
            }
            // With what kept the guest from going on.
            return new Verdict(result, Owner.UNKNOWN, words(result)
                    + (said.isEmpty() ? "" : " (" + said.getLast() + ")"));
        }
    }

    /** What a guard may be waiting for: why the guest went back to its source. */
    private String pending(Side side) throws IOException {
        return directory.find(migration, side).flatMap(FileJournal::pending)
                .map(why -> " (" + why + ")").orElse("");
    }

    private static String byProgram(String peer) {
        return "in doubt: the target '" + peer + "' was reached by a program's own transport; let"
                + " that program settle it, or say --source --target-is-fenced or --target";
    }

    private static String unanswered(String peer, String why) {
        return "no answer from the target " + peer + (why.isEmpty() ? "" : " but: " + why)
                + "; the guest stays paused. When the target is certain to be off: --source"
                + " --target-is-fenced";
    }

    private static String words(Result result) {
        return switch (result) {
            case COMPLETED -> "settled: the target owns the guest";
            case IN_DOUBT -> "still in doubt: the guest is paused";
            case GUEST_ENDED -> "settled: the guest has ended";
            case FAILED_AT_TARGET ->
                    "the target owned the guest and it is gone: decide what to start";
            default -> "settled: the source owns the guest";
        };
    }
}
