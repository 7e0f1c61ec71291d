package io.pageferry.core.incoming.session;

import io.pageferry.core.words.Labelled;

/** The states of a target; the tables of docs/PROTOCOL.md state what each means for the guest. */
public enum TargetState implements Labelled {
    /** Waiting for an offer. */
    WAITING,
    /** Room was made; nothing arrived yet. */
    RESERVED,
    /** Pages arrive. */
    RECEIVING,
    /** J(PREPARED): the guest is loaded and paused. */
    READY,
    /** J(REFUSED): it will never run here. */
    REFUSED,
    /** J(ACTIVE): it is being resumed. */
    ACTIVE,
    /** J(RETURNED): it did not run and never will. */
    RETURNED,
    /** J(RUNNING): it runs here. */
    RUNNING,
    /** Nothing more to do. */
    ENDED
}
