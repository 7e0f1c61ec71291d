package io.pageferry.agent.host.process;

/** Names guests that live inside this process and die with it. */
public final class InProcess {
    private InProcess() {
    }

    /**
     * Names one for locks and journals of this host.
     *
     * @param guest the object that stands for it
     * @return this process and the object; another object has another name
     */
    public static String nameOf(Object guest) {
        return ProcessHandle.current().pid() + ":" + System.identityHashCode(guest);
    }
}
