package io.pageferry.agent.state.guard;

import io.pageferry.agent.guest.qemu.start.LaunchedQemu;
import io.pageferry.agent.host.disk.freeze.FreezeGuard;
import io.pageferry.agent.host.disk.freeze.FrozenMounts;
import io.pageferry.agent.host.machine.boot.MoveMark;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.Guard;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.MigrationJournal;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;

/**
 * The guard of one agent, whichever process it is: started when it is needed, and anew where the
 * one before died. Of the agent's thread.
 */
public final class AgentGuard implements Guard, FreezeGuard {
    private final Side side;
    private final MigrationListener listener;
    private GuardProcess process;
    /** What a guard is to hold open, null for nothing. */
    private Path pipe;
    /** What a guard is to thaw, null for nothing. */
    private FrozenMounts frozen;
    /** What was launched and has no guest yet, or null. */
    private LaunchedQemu launched;
    /** What a guard is to finish, null for nothing. */
    private Watched watched;
    private boolean stays;

    /** A migration by its journal. */
    private record Watched(StateDirectory directory, UUID migration) { }

    /**
     * Makes the guard; nothing is started.
     *
     * @param side     whose agent it is
     * @param listener gets what goes wrong with it
     */
    public AgentGuard(Side side, MigrationListener listener) {
        this.side = side;
        this.listener = listener;
    }

    @Override
    public void prepare() {
        try {
            start();
        } catch (GuardException e) {
            listener.on(MigrationEvent.warn(e.line()));
        }
    }

    /**
     * Starts a process where there is none, or has a guard of the service; it gets ready while the
     * caller goes on.
     *
     * @throws GuardException when none can be started
     */
    @Override
    public void start() throws GuardException {
        if (process == null || !process.isAlive()) {
            farewell();
            process = GuardProcess.open();
            takeOver();
        }
    }

    /** The one before is gone: what it launched has another parent now, what it held is closed. */
    private void takeOver() throws GuardException {
        try {
            // First: without a migration it would take what was launched for empty.
            if (watched != null) {
                tell(watched);
            }
            if (launched != null) {
                process.keep(launched);
            }
            if (pipe != null) {
                process.holdOpen(pipe);
            }
            if (frozen != null) {
                process.holdFrozen(frozen);
            }
        } catch (IOException e) {
            farewell();
            throw e instanceof GuardException gone ? gone : new GuardException(e.getMessage());
        }
    }

    @Override
    public long launch(Path folder) throws IOException {
        start();
        boolean known = false;
        try {
            launched = process.launch(folder);
            known = true;
        } finally {
            if (!known) {
                // It may have launched it and only not said so: at the end of its pipe it ends it.
                abandon();
            }
        }
        return launched.pid();
    }

    @Override
    public void release() {
        launched = null;
    }

    @Override
    public MigrationJournal journal(StateDirectory directory, JournalHeader header)
            throws IOException {
        return directory.create(header);
    }

    @Override
    public void watch(StateDirectory directory, UUID migration) throws IOException {
        start();
        Watched wanted = new Watched(directory, migration);
        tell(wanted);
        watched = wanted;
    }

    private void tell(Watched one) throws IOException {
        process.watch(one.directory().path(), one.migration(), side.name());
    }

    @Override
    public int userfault(long pid) throws IOException {
        start();
        return process.userfault(pid);
    }

    @Override
    public int userfaultOfForking(long pid) throws IOException {
        start();
        return process.userfaultOfForking(pid);
    }

    @Override
    public void holdOpen(Path of) throws IOException {
        start();
        process.holdOpen(of);
        pipe = of;
    }

    @Override
    public void holdFrozen(String mounts) throws IOException {
        FrozenMounts frozen = FrozenMounts.parse(mounts);
        markMove(frozen);
        holdFrozen(frozen);
    }

    /** A machine whose own root is frozen must be able to tell after a reset that it was moved. */
    private void markMove(FrozenMounts mounts) throws IOException {
        if (watched != null && mounts.hasRoot()) {
            Optional<FileJournal> journal = watched.directory().find(watched.migration(), side);
            MoveMark.ofHost().writeIfWanted(watched.migration(),
                    journal.map(one -> one.header().peer()).orElse(""));
        }
    }

    @Override
    public void holdFrozen(FrozenMounts mounts) throws IOException {
        start();
        process.holdFrozen(mounts);
        frozen = mounts;
    }

    @Override
    public void keepFrozen() throws IOException {
        frozen = null;
        if (process == null || !process.isAlive()) {
            throw new GuardException("the guard process ended");
        }
        process.keepFrozen();
    }

    @Override
    public void releaseFrozen() throws IOException {
        if (frozen != null && frozen.hasRoot()) {
            // Where it never was frozen nobody thaws it.
            MoveMark.ofHost().delete();
        }
        frozen = null;
        if (process != null && process.isAlive()) {
            process.releaseFrozen();
        }
    }

    @Override
    public boolean letForkGo() throws IOException {
        return process != null && process.letForkGo();
    }

    @Override
    public boolean isLost() {
        return process != null && !process.isAlive();
    }

    /** {@return whether one was started and not sent away} */
    public boolean isThere() {
        return process != null;
    }

    @Override
    public void dismiss() {
        pipe = null;
        frozen = null;
        watched = null;
        if (launched == null || process == null || !process.rest()) {
            farewell();
        }
    }

    private void farewell() {
        if (process != null) {
            process.close();
            process = null;
        }
    }

    @Override
    public void close() {
        watched = null;
        if (stays && process != null) {
            process.leave();
            process = null;
        } else {
            farewell();
        }
    }

    /** See {@link GuardProcess#abandon}. */
    @Override
    public void abandon() {
        watched = null;
        if (process != null) {
            process.abandon();
            process = null;
        }
    }

    /** A guard that died is replaced first. */
    @Override
    public Outcome staysAfter(UUID migration, Outcome outcome) {
        try {
            start();
            process.quiet();
            stays = true;
            return outcome.withRemedy(outcome.remedy() + (outcome.remedy().isEmpty() ? "" : "; ")
                    + "process " + process.pid() + " sees to the guest: pageferry status says NOT"
                    + " SETTLED until it answers");
        } catch (IOException e) {
            listener.on(MigrationEvent.warn(e.getMessage()));
            return new Outcome(outcome.result() == Result.FAILED_AT_TARGET ? outcome.result()
                    : Result.IN_DOUBT, outcome.code(), outcome.reason(), outcome.side(),
                    "when it answers: pageferry settle " + migration, outcome.cause());
        }
    }
}
