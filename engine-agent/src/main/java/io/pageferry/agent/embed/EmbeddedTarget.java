package io.pageferry.agent.embed;

import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.IncomingGuest;
import java.util.Map;
import java.util.Optional;

/** An embedder's guest-to-be as the target agent sees it. */
final class EmbeddedTarget implements TargetGuest {
    private final IncomingGuest guest;
    private final String identity;
    private boolean discarded;

    EmbeddedTarget(IncomingGuest guest, String identity) {
        this.guest = guest;
        this.identity = identity;
    }

    /** For the next offer: one that was refused changed nothing. */
    EmbeddedTarget opened() throws GuestException {
        if (discarded) {
            throw new GuestException(ErrorCode.HOST_FAILED,
                    "the guest was discarded after it had made room",
                    "receive into a fresh one");
        }
        return this;
    }

    @Override
    public String identity() {
        return Embedded.text(identity);
    }

    @Override
    public Map<String, String> recoveryAddress() {
        return Map.of();
    }

    @Override
    public void requireFits(GuestDescription offered) throws GuestException {
        guest.requireFits(offered);
    }

    @Override
    public PageStore prepare(GuestDescription offered) throws GuestException {
        return guest.prepare(offered);
    }

    @Override
    public Optional<String> memoryAccess() {
        return guest.memoryAccess();
    }

    @Override
    public long features() {
        return guest.features();
    }

    @Override
    public boolean takesDisks() {
        return guest.takesDisks();
    }

    @Override
    public boolean readsAtOnce() {
        return guest.readsAtOnce();
    }

    @Override
    public void stateComes() {
        guest.stateComes();
    }

    @Override
    public void proved(ChecksumTable readBack) {
        guest.proved(readBack);
    }

    @Override
    public void loadState(byte[] state) throws GuestException {
        guest.loadState(state);
    }

    @Override
    public void resume() throws GuestException {
        guest.resume();
    }

    @Override
    public void arrivePaused() throws GuestException {
        guest.arrivePaused();
    }

    @Override
    public boolean ranUnauthorised() {
        return guest.ranUnauthorised();
    }

    @Override
    public void discard() {
        discarded = true;
        guest.discard();
    }

    @Override
    public void discardOrThrow() throws GuestException {
        discarded = true;
        guest.discardOrThrow();
    }

    @Override
    public Optional<String> ended() {
        return guest.ended();
    }

    @Override
    public void close() {
        // It stays the embedder's.
    }
}
