package io.pageferry.agent.state.settle;

import io.pageferry.agent.link.Connector;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.handover.StatusQuery;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import java.io.IOException;
import java.util.UUID;

/**
 * Asks a target what became of a migration whose journal here is lost, and with it the epoch of the
 * grant: a target answers for its own one alone, so all are tried. One thread.
 */
public final class TargetWord {
    /** A move whose link was lost before its grant more often than that is not known of. */
    private static final int MOST_EPOCHS = 16;
    private static final long PATIENCE_NANOS = 5_000_000_000L;
    private static final long PAUSE_MILLIS = 2;

    private final Connector.Access access;
    private final UUID migration;

    private TargetWord(Connector.Access access, UUID migration) {
        this.access = access;
        this.migration = migration;
    }

    /**
     * What it answered.
     *
     * @param owner of the guest: unknown where no answer was one
     * @param said  by it or by the link, for people
     */
    public record Answer(Owner owner, String said) { }

    /**
     * Asks until there is an answer or the time is over.
     *
     * @param connector   reaches it
     * @param migration   names what is asked
     * @param windowNanos longest wait
     * @return the answer
     * @throws IOException when this thread was interrupted
     */
    public static Answer ask(Connector connector, UUID migration, long windowNanos)
            throws IOException {
        long end = System.nanoTime() + windowNanos;
        try (Connector.Access access = connector.open()) {
            TargetWord word = new TargetWord(access, migration);
            Answer answer = word.ask();
            while (answer.owner() == Owner.UNKNOWN && System.nanoTime() - end < 0) {
                answer = word.ask();
            }
            return answer;
        }
    }

    private Answer ask() throws IOException {
        String said = "it does not answer";
        for (int epoch = 1; epoch <= MOST_EPOCHS; epoch++) {
            Reply reply = new Reply(epoch);
            long now = System.nanoTime();
            try (StatusQuery query = new StatusQuery(migration, epoch, access, null,
                    new StatusQuery.Window(now, PATIENCE_NANOS))) {
                while (reply.owner == null && !query.isOver(System.nanoTime())) {
                    if (query.step(System.nanoTime(), reply) == 0) {
                        pause();
                    }
                }
            }
            said = reply.said.isEmpty() ? said : reply.said;
            if (reply.owner == null || reply.owner != Owner.UNKNOWN) {
                return new Answer(reply.owner == null ? Owner.UNKNOWN : reply.owner, said);
            }
        }
        return new Answer(Owner.UNKNOWN, said);
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static final class Reply implements LinkHandler {
        private final long epoch;
        /** Null until something came for this epoch. */
        private Owner owner;
        private String said = "";

        Reply(long epoch) {
            this.epoch = epoch;
        }

        @Override
        public void onMessage(Message message) {
            switch (message) {
                case Message.Running running when running.epoch() == epoch ->
                        came(Owner.TARGET, "it runs there");
                case Message.Refused refused when refused.epoch() == epoch ->
                        came(Owner.SOURCE, refused.reason());
                case Message.Returned returned when returned.epoch() == epoch ->
                        came(Owner.SOURCE, returned.reason());
                case Message.StatusUnknown unknown when unknown.epoch() == epoch ->
                        came(Owner.UNKNOWN, unknown.reason());
                default -> { }
            }
        }

        private void came(Owner found, String reason) {
            owner = found;
            said = reason;
        }

        @Override
        public void onBatch(PageBatch batch) {
            // A link that only asks gets no pages.
        }

        @Override
        public void onLost(ErrorCode code, String reason) {
            said = reason;
        }
    }
}
