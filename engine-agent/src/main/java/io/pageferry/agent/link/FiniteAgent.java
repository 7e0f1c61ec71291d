package io.pageferry.agent.link;

import org.agrona.concurrent.Agent;

/**
 * Works in a duty cycle until it is done. {@link #onStart} opens what it needs and may wait for
 * seconds; {@link #doWork} never waits; {@link #onClose} frees everything, also after a failure.
 * One thread calls all of them, which may run any number of agents: see {@link AgentLoop}.
 */
public interface FiniteAgent extends Agent {
    @Override
    int doWork();

    /** {@return whether there is nothing more to do but {@link #onClose}} */
    boolean isDone();
}
