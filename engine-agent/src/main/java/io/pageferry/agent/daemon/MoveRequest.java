package io.pageferry.agent.daemon;

import java.util.Map;
import java.util.Objects;

/**
 * What a caller wants moved.
 *
 * @param guest   a name of the address book, or a URI
 * @param to      where the target listens
 * @param slot    the place there; empty for the one that is free
 * @param options of the command line, their names in camelCase, their values as text
 */
public record MoveRequest(String guest, String to, String slot, Map<String, String> options) {
    /** Checks that all is there. */
    public MoveRequest {
        Objects.requireNonNull(guest, "guest");
        Objects.requireNonNull(to, "to");
        Objects.requireNonNull(slot, "slot");
        options = Map.copyOf(options);
    }

    MoveRequest with(Map<String, String> others) {
        return new MoveRequest(guest, to, slot, others);
    }
}
