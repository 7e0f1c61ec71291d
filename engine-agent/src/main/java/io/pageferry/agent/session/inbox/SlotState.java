package io.pageferry.agent.session.inbox;

import io.pageferry.core.words.Labelled;

/** What a slot does. */
public enum SlotState implements Labelled {
    /** It waits for a guest. */
    WAITING,
    /** A source offered a guest, or brings one. */
    RECEIVING,
    /** A guest is here, and no other one fits in. */
    FULL,
    /** It is not open yet, or not any more. */
    CLOSED
}
