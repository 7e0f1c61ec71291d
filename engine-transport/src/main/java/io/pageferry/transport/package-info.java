/**
 * How the engine's messages and pages travel between two agents.
 *
 * <p>Nothing of this module is for embedders, and nothing of it is exported, but to the agents and
 * engine-bench: {@code io.pageferry.agent.embed} opens its connections. Who has a transport of his
 * own implements the ports of {@code io.pageferry.core.link} and does without this module's.
 */
package io.pageferry.transport;
