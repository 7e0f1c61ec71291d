package io.pageferry.agent.host.disk.freeze;

import java.io.IOException;

/** Another process, which thaws when this one dies or takes too long. */
public interface FreezeGuard {
    /**
     * Has it hold file systems that are frozen from now on. It thaws them when this process is gone
     * without a farewell, and when the limit of the record has passed.
     *
     * @param frozen of {@link Freezer#record}; in place of what it held before
     * @throws IOException when it cannot; nothing may be frozen then
     */
    void holdFrozen(FrozenMounts frozen) throws IOException;

    /**
     * Has it thaw them no more, however long they stay frozen and whatever becomes of this process:
     * they are about to be granted, and from now on the migration's journal says whose they are.
     *
     * @throws IOException when it is gone, or thawed them already; nothing may be granted then
     */
    void keepFrozen() throws IOException;

    /**
     * Has it let go of them: they are thawed, or are to stay frozen.
     *
     * @throws IOException when it cannot be told so
     */
    void releaseFrozen() throws IOException;
}
