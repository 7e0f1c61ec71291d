package io.pageferry.agent.host.machine.prepare;

import io.pageferry.agent.host.machine.Adaptation;
import io.pageferry.agent.host.machine.boot.BootUnit;
import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.machine.tree.Programs;
import io.pageferry.agent.host.machine.tree.Refusal;
import io.pageferry.agent.host.machine.tree.SystemTree;
import io.pageferry.agent.host.process.ProgramRunner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Has a running system start on other hardware too. What its files were is written down before they
 * are changed, so that all of it can be undone: also where this ends in the middle. One thread.
 */
public final class Preparation {
    private final SystemTree tree;
    private final Programs programs;
    private final PrepareRecord record;

    /**
     * Makes a preparation.
     *
     * @param root   of the system: {@code /}, or a tree of files to try it on
     * @param runner of its programs
     */
    public Preparation(Path root, ProgramRunner runner) {
        this.tree = new SystemTree(root);
        this.programs = new LivePrograms(runner, root);
        this.record = new PrepareRecord(tree);
    }

    /**
     * Finds out what is to be changed. Nothing is.
     *
     * @param options what is wanted
     * @param unit    that asks at each boot whether the machine was moved away
     * @return the changes, to be given to {@link #apply}
     * @throws IOException where it cannot be done, with what to do
     */
    public Adaptation plan(Adaptation.Options options, Optional<BootUnit> unit)
            throws IOException {
        Adaptation adaptation = Adaptation.plan(tree, LiveDevices.of(tree), options);
        if (unit.isPresent()) {
            unit.get().add(adaptation.changes());
        }
        return adaptation;
    }

    /**
     * Changes what was planned.
     *
     * @param adaptation the plan
     * @return whether an initramfs had to be made
     * @throws IOException where something failed; {@link #undo} undoes what was done
     */
    public boolean apply(Adaptation adaptation) throws IOException {
        for (String path : record.add(adaptation.edits())) {
            adaptation.changes().warn(path + " was changed since it was prepared before: --undo"
                    + " has it be as it is now");
        }
        return adaptation.apply(programs);
    }

    /**
     * Undoes what the record of the system says.
     *
     * @param dry whether nothing is changed
     * @return what was done, for people
     * @throws IOException where there is no record, or something failed
     */
    public Undone undo(boolean dry) throws IOException {
        List<Edits.Edit> edits = record.read();
        if (edits.isEmpty()) {
            throw Refusal.of("there is nothing to undo: " + PrepareRecord.PATH + " is missing",
                    "pageferry prepare makes it");
        }
        Undone undone = new Undone(new ArrayList<>(), new ArrayList<>());
        for (Edits.Edit edit : edits.reversed()) {
            String present = tree.read(edit.path()).orElse(null);
            if (equal(present, edit.before())) {
                continue;
            }
            if (!equal(present, edit.after())) {
                undone.changedSince().add(edit.path());
                continue;
            }
            undone.paths().add(edit.path());
            if (!dry) {
                Edits.put(tree, edit.path(), edit.before(), edit.mode());
            }
        }
        if (!dry) {
            Adaptation.remakeInitramfs(tree, programs);
            if (undone.changedSince().isEmpty()) {
                record.delete();
            }
        }
        return undone;
    }

    /**
     * What undoing did.
     *
     * @param paths        of files that are as they were
     * @param changedSince paths of files that somebody else changed, and that were left
     */
    public record Undone(List<String> paths, List<String> changedSince) { }

    private static boolean equal(String one, String other) {
        return one == null ? other == null : one.equals(other);
    }
}
