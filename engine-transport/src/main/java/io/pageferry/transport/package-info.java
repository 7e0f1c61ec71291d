/**
 * How the engine's messages and pages travel between two agents.
 *
 * <p>Nothing of this module is for embedders, and nothing of it is exported, but to the agents and
 * engine-bench: {@code io.pageferry.agent.embed} opens its connections. An embedder's own transport
 * implements the ports of {@code io.pageferry.core.link} instead.
 */
package io.pageferry.transport;
