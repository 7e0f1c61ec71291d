package io.pageferry.core.outgoing.session;

import io.pageferry.core.words.Labelled;
import java.util.UUID;

/**
 * Names limits and remedies in the words of the caller: the options of a command, the methods of an
 * interface. It is asked when an outcome is made, because its reason goes to the target and into
 * the journal as text. What is not overridden is named by its label.
 */
public interface Wording {
    /** What a migration was allowed. */
    enum Limit implements Labelled {
        /** Time for the rounds; for the pause of a guest that is moved paused. */
        TIMEOUT,
        /** Time for the pause. */
        MAX_SWITCHOVER
    }

    /** What a person can do. */
    enum Remedy implements Labelled {
        /** Ask the target again, or take the guest back once the target is off for ever. */
        ASK_TARGET,
        /** Free what keeps the guest from going on, then settle. */
        FREE_GUEST,
        /** Slow a guest down that writes too fast, or allow a longer pause or more time. */
        EASE_LIMITS
    }

    /**
     * Names a limit.
     *
     * @param limit that was passed
     * @return its name, without a value
     */
    default String name(Limit limit) {
        return limit.label();
    }

    /**
     * Returns what to do.
     *
     * @param remedy    what helps
     * @param migration names it
     * @return one line
     */
    default String advice(Remedy remedy, UUID migration) {
        return remedy.label() + " " + migration;
    }

    /** {@return one that names everything by its label} */
    static Wording labels() {
        return new Wording() { };
    }
}
