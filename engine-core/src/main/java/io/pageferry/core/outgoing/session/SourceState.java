package io.pageferry.core.outgoing.session;

import io.pageferry.core.words.Labelled;

/** The states of a source; the tables of docs/PROTOCOL.md state what each means for the guest. */
public enum SourceState implements Labelled {
    /** Asking the target and attaching channels; the guest runs. */
    NEGOTIATING,
    /** Rounds; the guest runs. */
    PRECOPY,
    /** The guest is paused and ours. */
    SWITCHOVER,
    /** The guest is paused; the target may run it. */
    GRANTED,
    /** The guest is paused and ours again. */
    OWNED,
    /** The target runs it; ours is being ended. */
    DONE,
    /** Nothing more to do. */
    ENDED
}
