package io.pageferry.agent.guest.machine;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * A machine at the target whose agent is gone. What was not granted is deleted, where it is what
 * that agent made.
 *
 * @param folder of it
 * @param start  whether it is to boot
 */
record MachineHandle(MachineFolder folder, boolean start) implements GuestHandle {
    private static final String FOLDER = "machine";
    private static final String FORMAT = "format";
    private static final String CLAIM = "claim";
    private static final String START = "start";

    /** What of it is in a journal. */
    Map<String, String> address() {
        return Map.of(FOLDER, folder.path().toString(), FORMAT, folder.format(), CLAIM,
                folder.claim(), START, Boolean.toString(start));
    }

    /** Reads that; empty where it is of a source. */
    static Optional<MachineHandle> of(Map<String, String> address) {
        return Optional.ofNullable(address.get(FOLDER)).map(path -> new MachineHandle(
                new MachineFolder(Path.of(path), address.get(FORMAT), address.get(CLAIM)),
                Boolean.parseBoolean(address.get(START))));
    }

    @Override
    public Condition condition() {
        if (!Files.isDirectory(folder.path())) {
            return Condition.GONE;
        }
        return start && new MachineStart(folder).runningPid().isPresent() ? Condition.RUNNING
                : Condition.PAUSED;
    }

    @Override
    public void resume() throws GuestException {
        folder.keep();
        if (start) {
            new MachineStart(folder).start();
        }
    }

    @Override
    public void arrivePaused() throws GuestException {
        resume();
    }

    @Override
    public void end() throws GuestException {
        try {
            folder.giveUp();
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "what came of a machine that stays at"
                    + " its source could not be deleted: " + e, "delete " + folder.path()
                    + " before anybody boots from it").retryable();
        }
    }

    @Override
    public void forget() throws GuestException {
        end();
    }

    @Override
    public void close() {
        // Nothing is held.
    }
}
