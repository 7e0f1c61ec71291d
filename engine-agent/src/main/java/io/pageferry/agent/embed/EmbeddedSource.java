package io.pageferry.agent.embed;

import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.round.WriteThrottle;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.Optional;

/** An embedder's guest as the source agent sees it: not reached once this process is gone. */
final class EmbeddedSource implements SourceGuest {
    private final Guest guest;
    private final String identity;

    EmbeddedSource(Guest guest, String identity) {
        this.guest = guest;
        this.identity = identity;
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
    public String trackerReason() {
        return "the embedder's own";
    }

    @Override
    public GuestDescription describe() {
        return guest.describe();
    }

    @Override
    public PageSource memory() {
        return guest.memory();
    }

    @Override
    public DirtyTracker tracker() {
        return guest.tracker();
    }

    @Override
    public boolean isRunning() throws GuestException {
        return guest.isRunning();
    }

    @Override
    public Optional<String> ended() {
        return guest.ended();
    }

    @Override
    public void requireUnchangedPaused() throws GuestException {
        guest.requireUnchangedPaused();
    }

    @Override
    public void requireUnchanged() throws GuestException {
        guest.requireUnchanged();
    }

    @Override
    public boolean resumedExternally() {
        return guest.resumedExternally();
    }

    @Override
    public Optional<WriteThrottle> throttle() {
        return guest.throttle();
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
    public boolean storageReady() throws GuestException {
        return guest.storageReady();
    }

    @Override
    public boolean readyToPause() throws GuestException {
        return guest.readyToPause();
    }

    @Override
    public void keepPaused() throws GuestException {
        guest.keepPaused();
    }

    @Override
    public void pause() throws GuestException {
        guest.pause();
    }

    @Override
    public void saveState(OutputStream out) throws IOException {
        guest.saveState(out);
    }

    @Override
    public void resume() throws GuestException {
        guest.resume();
    }

    @Override
    public void end() throws GuestException {
        guest.end();
    }

    @Override
    public void close() {
        // It stays the embedder's.
    }
}
