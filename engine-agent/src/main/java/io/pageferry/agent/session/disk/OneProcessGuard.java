package io.pageferry.agent.session.disk;

import io.pageferry.agent.state.journal.Guard;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.MemoryJournal;
import io.pageferry.agent.state.journal.MigrationJournal;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.migration.Outcome;
import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;

/**
 * The guard of a copy within one process, of a disk that nobody writes to: none is needed. At the
 * source nothing is paused, frozen or given away, so there is nobody that would have to be let go
 * on. At the target a disk whose first MiB is still zero stays so, and one that has it is complete,
 * proved and on its medium: killed in between, it is what it would have been a moment later, and
 * only nobody was told. Both sides end at once, so neither is ever asked what it decided, and their
 * journals are in memory.
 */
final class OneProcessGuard implements Guard {
    @Override
    public MigrationJournal journal(StateDirectory directory, JournalHeader header) {
        return new MemoryJournal(header.side());
    }

    @Override
    public void prepare() {
        // There is nothing to be started.
    }

    @Override
    public void start() {
        // There is nothing to be started.
    }

    @Override
    public void watch(StateDirectory directory, UUID migration) {
        // There is nothing that somebody else would finish.
    }

    @Override
    public boolean isLost() {
        return false;
    }

    @Override
    public void dismiss() {
        // Nobody is there.
    }

    @Override
    public Outcome staysAfter(UUID migration, Outcome outcome) {
        return outcome;
    }

    @Override
    public void abandon() {
        // Nobody is there.
    }

    @Override
    public int userfault(long pid) throws IOException {
        throw none();
    }

    @Override
    public long launch(Path folder) throws IOException {
        throw none();
    }

    @Override
    public void release() {
        // Nothing was launched.
    }

    @Override
    public void holdFrozen(String mounts) throws IOException {
        throw none();
    }

    @Override
    public void keepFrozen() throws IOException {
        throw none();
    }

    @Override
    public void releaseFrozen() throws IOException {
        throw none();
    }

    private static IOException none() {
        return new IOException("a copy within one process has no guard");
    }

    @Override
    public void close() {
        // Nobody is there.
    }
}
