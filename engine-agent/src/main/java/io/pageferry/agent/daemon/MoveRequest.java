package io.pageferry.agent.daemon;

import io.pageferry.agent.daemon.store.Submissions;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

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

    /** The one that was kept. */
    static MoveRequest of(Submissions.Submission kept) {
        return new MoveRequest(kept.guest(), kept.to(), kept.slot(), kept.options());
    }

    Submissions.Submission kept(UUID id, String key) {
        return new Submissions.Submission(id, key, guest, to, slot, options, false);
    }

    MoveRequest with(Map<String, String> others) {
        return new MoveRequest(guest, to, slot, others);
    }
}
