package io.pageferry.agent.daemon;

import io.pageferry.agent.daemon.CallException.Why;
import io.pageferry.agent.daemon.store.Submissions;
import java.util.LinkedHashMap;
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
    private static final int MOST_TEXT = 8_192;

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

    /** The same with other words; null for those that are no longer said. */
    MoveRequest with(Map<String, String> changed) {
        Map<String, String> words = new LinkedHashMap<>(options);
        changed.forEach((name, value) -> {
            if (value == null) {
                words.remove(name);
            } else {
                words.put(name, value);
            }
        });
        return new MoveRequest(guest, to, slot, words);
    }

    /** It is kept in memory and in a file as long as it waits. */
    void requireShort() {
        if (guest.length() + to.length() > MOST_TEXT) {
            throw new CallException(Why.USAGE, "the guest and the target are longer than "
                    + MOST_TEXT + " characters", "name the guest in the address book");
        }
    }
}
