package io.pageferry.agent.capture.check;

import static io.pageferry.agent.capture.frame.Breach.unless;

import io.pageferry.agent.capture.frame.Breach;
import io.pageferry.agent.capture.frame.Rule;
import io.pageferry.agent.capture.frame.Values;

/** One channel in one generation: its batches, acknowledgements and credit; PROTOCOL.md §9. */
final class Channel {
    private final Session session;
    private final long generation;
    private final int number;
    private final boolean late;
    private boolean ready;
    private long sent;
    private long applied;
    private long credit;

    Channel(Session session, long generation, int number) {
        this.session = session;
        this.generation = generation;
        this.number = number;
        this.late = generation < session.generation();
        this.credit = session.window();
    }

    Session session() {
        return session;
    }

    long generation() {
        return generation;
    }

    int number() {
        return number;
    }

    /** {@return the last sequence} */
    long sent() {
        return sent;
    }

    boolean isReady() {
        return ready;
    }

    /** Whether it was asked for in a generation that was over by then. */
    boolean isLate() {
        return late;
    }

    /** Whether the session has gone on without this connection. */
    boolean isOver() {
        return generation != session.generation();
    }

    void answered(Values answer) throws Breach {
        unless(!ready && answer.num("generation") == generation
                && answer.num("channel") == number, Rule.CHANNEL_ANSWER, "generation "
                + answer.num("generation") + ", channel " + answer.num("channel")
                + (ready ? " once more" : ", and " + generation + ", " + number + " was asked"));
        ready = true;
    }

    /** Takes the numbers of a batch, in the order of §8. */
    void batch(long itsGeneration, int itsChannel, long sequence) throws Breach {
        unless(itsGeneration == generation, Rule.BATCH_GENERATION, "generation " + itsGeneration
                + " on a connection of generation " + generation);
        unless(itsChannel == number, Rule.BATCH_CHANNEL, "channel " + itsChannel
                + " on the connection of " + number);
        unless(sequence == sent + 1, Rule.BATCH_SEQUENCE, "batch " + sequence + " behind " + sent);
        unless(sequence <= credit, Rule.BATCH_CREDIT, "batch " + sequence
                + ", and the credit ends at " + credit);
        sent = sequence;
    }

    void ack(Values ack) throws Breach {
        long upTo = ack.num("applied");
        long next = ack.num("credit");
        unless(ack.num("generation") == generation && ack.num("channel") == number,
                Rule.ACK_CHANNEL, "generation " + ack.num("generation") + ", channel "
                + ack.num("channel") + " on the connection of " + generation + ", " + number);
        unless(upTo >= applied && next >= credit, Rule.ACK_BACK, "applied " + upTo + ", credit "
                + next + " behind " + applied + ", " + credit);
        unless(upTo <= sent, Rule.ACK_BEYOND, "applied " + upTo + ", and " + sent + " were sent");
        unless(next - upTo <= session.window(), Rule.ACK_CREDIT, "credit " + next + " with "
                + upTo + " applied is more than a window of " + session.window());
        unless(ack.num("waiting") <= session.mostWaiting(), Rule.ACK_WAITING,
                ack.num("waiting") + " batches wait, and " + session.mostWaiting() + " may");
        applied = upTo;
        credit = next;
    }
}
