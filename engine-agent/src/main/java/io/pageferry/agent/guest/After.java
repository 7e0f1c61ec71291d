package io.pageferry.agent.guest;

import io.pageferry.core.words.Labelled;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/** What becomes of a guest at the source after it moved; {@code --after}. */
public enum After implements Labelled {
    /** It is ended. */
    QUIT,
    /** It stays paused. */
    KEEP,
    /** It goes on: of a process, whose copy is an image. */
    RESUME,
    /** Its file systems go on: of disks, whose copy is never to run. */
    THAW,
    /** The machine whose disks they were is powered off. */
    POWEROFF;

    private static final String KEY = "after";

    /**
     * Writes it into a journal's address of a guest, for a recovery after a dead agent.
     *
     * @param recoveryAddress to add to
     */
    public void putInto(Map<String, String> recoveryAddress) {
        recoveryAddress.put(KEY, label());
    }

    /**
     * Reads what {@link #putInto} wrote.
     *
     * @param recoveryAddress of a journal
     * @return the value, empty where there is none
     */
    public static Optional<After> of(Map<String, String> recoveryAddress) {
        return Arrays.stream(values())
                .filter(after -> after.label().equals(recoveryAddress.get(KEY))).findFirst();
    }
}
