package io.pageferry.agent.guest.qemu.qmp;

import io.pageferry.core.words.Labelled;
import java.util.Locale;

/**
 * QEMU's run states (qapi/run-state.json), as query-status names them. Whether a started
 * {@code -incoming} QEMU was given {@code -S} too cannot be seen here: see
 * {@link DeviceState#expect}.
 */
public enum RunState implements Labelled {
    /** A state that this version does not know; never sent by QEMU under this name. */
    UNKNOWN,
    /** The guest runs. */
    RUNNING,
    /** Stopped by {@code stop}, or loaded and not yet started. */
    PAUSED,
    /** Waits for an incoming migration. */
    INMIGRATE,
    /** Its state was saved; {@code cont} takes it back. */
    POSTMIGRATE,
    /** Started with -S: no instruction has run. */
    PRELAUNCH,
    /** Its state is being saved. */
    FINISH_MIGRATE,
    /** A snapshot is being loaded. */
    RESTORE_VM,
    /** A snapshot is being written. */
    SAVE_VM,
    /** The guest suspended itself to RAM. */
    SUSPENDED,
    /** The guest shut down, and QEMU is set to stay. */
    SHUTDOWN,
    /** The guest reported its panic. */
    GUEST_PANICKED,
    /** A device or vCPU cannot go on. */
    INTERNAL_ERROR,
    /** Paused because a disk failed. */
    IO_ERROR,
    /** The watchdog's action paused it. */
    WATCHDOG,
    /** Stopped by a debugger. */
    DEBUG,
    /** Part of a COLO pair. */
    COLO;

    /** The state that query-status names. */
    public static RunState of(String name) {
        String constant = name.toUpperCase(Locale.ROOT).replace('-', '_');
        for (RunState state : values()) {
            if (state.name().equals(constant)) {
                return state;
            }
        }
        return UNKNOWN;
    }

    /** QEMU's spelling. */
    @Override
    public String toString() {
        return label();
    }
}
