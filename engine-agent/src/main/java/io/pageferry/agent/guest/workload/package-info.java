/** The embedded guest: memory, writers and a self-check inside the agent. */
package io.pageferry.agent.guest.workload;
