/**
 * Moves guests away and takes guests in: agents that open what a migration needs, in order, drive
 * its state machine, and close everything. Each runs in {@link io.pageferry.agent.link.AgentLoop}
 * or in a duty cycle of the caller's, and one process may have any number of them:
 * {@link io.pageferry.agent.session.SourceSession} moves one guest away;
 * {@link io.pageferry.agent.session.TargetAgent} receives into one slot, and
 * {@link io.pageferry.agent.session.TargetHost} into several behind one listener, with a
 * {@link io.pageferry.agent.session.TargetSession} for each guest that is taken in.
 */
package io.pageferry.agent.session;
