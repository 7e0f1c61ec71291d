package io.pageferry.core.handover;

import io.pageferry.core.words.Labelled;

/** The records of a journal; the tables of docs/PROTOCOL.md state when each is written. */
public enum JournalState implements Labelled {
    /** Source: the pause begins. */
    SWITCHOVER,
    /** Source: the target may run; never resume here without its durable no. */
    GRANTED,
    /** Source: the guest is ours again; resume it. */
    OWNED,
    /** Source: the target runs; end the guest here. */
    DONE,
    /** Target: the image is proved; the state is being loaded. */
    PREPARED,
    /** Target: it will never run here in this epoch. */
    REFUSED,
    /** Target: it is granted and being resumed. */
    ACTIVE,
    /** Target: it was granted, did not run and never will. */
    RETURNED,
    /** Target: it runs here. */
    RUNNING,
    /** Either: the act after the last record was done; nothing is left to repeat. */
    SETTLED
}
