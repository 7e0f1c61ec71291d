package io.pageferry.agent.cli.option;

/** A command that Ctrl-C and SIGTERM end well. */
public interface Cancellable {
    /** Has it end soon, with everything undone that it began. Any thread, at any time. */
    void cancel();
}
