/** Slows single threads of another process down, and undoes it even after an agent's death. */
package io.pageferry.agent.host.throttle;
