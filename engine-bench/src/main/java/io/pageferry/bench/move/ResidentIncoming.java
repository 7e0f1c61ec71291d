package io.pageferry.bench.move;

import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.MemoryImage;
import io.pageferry.core.migration.IncomingGuest;
import java.util.Optional;

/** The target's end: memory that outlives it, and nothing that would have to run. */
final class ResidentIncoming implements IncomingGuest {
    private final ResidentMemory memory;

    ResidentIncoming(ResidentMemory memory) {
        this.memory = memory;
    }

    @Override
    public MemoryImage prepare(GuestDescription offered) {
        return memory.regions();
    }

    @Override
    public void loadState(byte[] state) {
        // Nothing runs here.
    }

    @Override
    public void resume() {
        // Nothing runs here.
    }

    @Override
    public void discard() {
        // The memory is not this object's.
    }

    @Override
    public Optional<String> ended() {
        return Optional.empty();
    }

    @Override
    public void close() {
        // The memory is not this object's.
    }
}
