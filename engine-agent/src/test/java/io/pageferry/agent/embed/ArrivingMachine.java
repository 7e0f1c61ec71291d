package io.pageferry.agent.embed;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.MemoryImage;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.IncomingGuest;
import java.nio.ByteBuffer;
import java.util.Optional;

/** An embedder's machine at the target; it stands where the source left it. */
final class ArrivingMachine implements IncomingGuest {
    private final PlainMemory board;
    private volatile long counter = -1;
    private volatile boolean running;
    private volatile int discards;

    ArrivingMachine(PlainMemory board) {
        this.board = board;
    }

    /** {@return the register, −1 before it was loaded} */
    long counter() {
        return counter;
    }

    boolean isRunning() {
        return running;
    }

    int discards() {
        return discards;
    }

    @Override
    public void requireFits(GuestDescription offered) throws GuestException {
        if (!offered.kind().equals(Machine.KIND) || !offered.regions().equals(board.regions())) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH,
                    "a " + offered.kind() + " with " + offered.regions() + " does not fit here",
                    "give the machine here the same memory");
        }
    }

    @Override
    public MemoryImage prepare(GuestDescription offered) {
        return board;
    }

    @Override
    public void loadState(byte[] state) {
        counter = ByteBuffer.wrap(state).getLong();
    }

    @Override
    public void resume() {
        running = true;
    }

    @Override
    public void discard() {
        discards++;
    }

    @Override
    public Optional<String> ended() {
        return Optional.empty();
    }

    @Override
    public void close() {
        // Its memory is the test's.
    }
}
