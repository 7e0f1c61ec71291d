package io.pageferry.agent.host.memory;

import io.pageferry.core.words.Labelled;

/** How an agent reaches the memory of a guest, as reports name it. */
public enum MemoryAccess implements Labelled {
    /** Through a mapping of the agent's own. */
    MAPPED,

    /** By pread and pwrite on the files that hold it. */
    FILE,

    /** By the addresses of the process whose memory it is. */
    PROCESS
}
