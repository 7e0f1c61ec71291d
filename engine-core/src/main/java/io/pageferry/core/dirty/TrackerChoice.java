package io.pageferry.core.dirty;

import io.pageferry.core.words.Labelled;

/** The values of {@code --tracker}: how the writes of a guest are found. */
public enum TrackerChoice implements Labelled {
    /** The best that guest and host allow. */
    AUTO,
    /** The kernel reports the first write to each page. */
    USERFAULTFD,
    /** Contents are compared with what was sent. */
    SCAN,
    /** The guest marks its own writes. */
    MARKING,
    /** KVM's log, of a monitor that links the engine. */
    DIRTY_LOG,
    /** A program in the kernel marks what is written to a disk. */
    BPF
}
