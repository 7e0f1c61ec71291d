package io.pageferry.core.simulation;

/** A rule of the design that is broken on purpose, around the production code and not in it. */
enum Mutant {
    /** Nothing is broken. */
    NONE,
    /** The tracker forgets a page after it was read, not before. */
    CLEAR_AFTER_READ,
    /** The recovery of a dead source resumes a guest that was granted. */
    RESUME_IN_GRANTED,
    /** A recovery acts with the lock of the guest alone. */
    NO_JOURNAL_LOCK,
    /** A recovery acts with the lock of the journal alone. */
    NO_GUEST_LOCK,
    /** A round is over when it is sent; nobody waits until it is applied. */
    NO_BARRIER,
    /** A batch of a connection that was given up still gets in. */
    NO_GENERATION,
    /** The throttle stays as it is when pre-copy is over. */
    THROTTLE_LEFT_ON,
    /** Nobody counts what goes over a link that is bounded. */
    UNCOUNTED_BYTES,
    /** A page counts as it came, whatever its directory says. */
    UNPROVED_COUNTS,
    /** A cancel counts as heard as soon as it was said. */
    CANCEL_UNHEARD
}
