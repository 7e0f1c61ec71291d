package io.pageferry.core.simulation;

import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.handover.Journal;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.IncomingGuest;
import io.pageferry.core.round.WriteThrottle;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;

/** Ports whose agent may die before or after each act. */
final class FusedPorts {
    private FusedPorts() {
    }

    static Journal journal(Journal real, Fuse fuse) {
        return new Journal() {
            @Override
            public void write(JournalRecord entry) throws IOException {
                String act = "J(" + entry.state() + ")";
                fuse.before(act);
                real.write(entry);
                fuse.after(act);
            }

            @Override
            public Optional<JournalRecord> last() {
                return real.last();
            }

            @Override
            public Optional<JournalRecord> decision() {
                return real.decision();
            }
        };
    }

    static Guest guest(Guest real, Fuse fuse) {
        return new FusedGuest(real, fuse);
    }

    static IncomingGuest incoming(IncomingGuest real, Fuse fuse) {
        return new FusedIncoming(real, fuse);
    }

    private record FusedGuest(Guest real, Fuse fuse) implements Guest {
        @Override
        public GuestDescription describe() {
            return real.describe();
        }

        @Override
        public PageSource memory() {
            return real.memory();
        }

        @Override
        public DirtyTracker tracker() {
            return real.tracker();
        }

        @Override
        public Optional<WriteThrottle> throttle() {
            return real.throttle();
        }

        @Override
        public boolean isRunning() throws GuestException {
            return real.isRunning();
        }

        @Override
        public Optional<String> ended() {
            return real.ended();
        }

        @Override
        public void pause() throws GuestException {
            fuse.before("pause");
            real.pause();
            fuse.after("pause");
        }

        @Override
        public void saveState(OutputStream out) throws IOException {
            fuse.before("save");
            real.saveState(out);
            fuse.after("save");
        }

        @Override
        public void resume() throws GuestException {
            fuse.before("resume");
            real.resume();
            fuse.after("resume");
        }

        @Override
        public void end() throws GuestException {
            fuse.before("end");
            real.end();
            fuse.after("end");
        }

        @Override
        public void close() {
            // Whoever made the real one closes it: it outlives an agent.
        }
    }

    private record FusedIncoming(IncomingGuest real, Fuse fuse) implements IncomingGuest {
        @Override
        public PageStore prepare(GuestDescription offered) throws GuestException {
            fuse.before("prepare");
            PageStore image = real.prepare(offered);
            fuse.after("prepare");
            return image;
        }

        @Override
        public void stateComes() {
            real.stateComes();
        }

        @Override
        public void loadState(byte[] state) throws GuestException {
            fuse.before("load");
            real.loadState(state);
            fuse.after("load");
        }

        @Override
        public void resume() throws GuestException {
            fuse.before("resume");
            real.resume();
            fuse.after("resume");
        }

        @Override
        public void discard() {
            fuse.before("discard");
            real.discard();
            fuse.after("discard");
        }

        @Override
        public Optional<String> ended() {
            return real.ended();
        }

        @Override
        public void close() {
            // Whoever made the real one closes it: it outlives an agent.
        }
    }
}
