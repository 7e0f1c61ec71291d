package io.pageferry.core.link;

import java.util.regex.Pattern;

/** What the places of a target may be called: both sides look. */
public final class SlotName {
    /** Longest name, in characters and bytes. */
    public static final int MAX_LENGTH = 64;

    private static final Pattern NAME = Pattern.compile("[a-z0-9._-]{1," + MAX_LENGTH + "}");

    private SlotName() {
    }

    /**
     * Looks at a name.
     *
     * @param name of a slot
     * @return whether it has 1 … 64 of the characters a-z, 0-9, dot, underscore and hyphen, and no
     *         others
     */
    public static boolean isValid(String name) {
        return NAME.matcher(name).matches();
    }

    /**
     * Refuses what can be no name.
     *
     * @param name of a slot
     * @return it
     * @throws IllegalArgumentException where it is none, with what it has to be
     */
    public static String require(String name) {
        if (!isValid(name)) {
            throw new IllegalArgumentException("a slot cannot be called '"
                    + name.substring(0, Math.min(name.length(), MAX_LENGTH))
                    + "': write 1 to 64 of a-z, 0-9, '.', '_' and '-'");
        }
        return name;
    }
}
