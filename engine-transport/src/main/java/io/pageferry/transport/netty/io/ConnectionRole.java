package io.pageferry.transport.netty.io;

/** What a connection is for. Its first messages show it; docs/PROTOCOL.md §1. */
public enum ConnectionRole {
    /** Not known yet. */
    UNDECIDED,
    /** Messages of one migration, or a question for its state. */
    CONTROL,
    /** Batches of pages, and their acknowledgements. */
    PAGES
}
