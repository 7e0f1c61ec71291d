/** Slows single threads of another process down, and undoes it whoever died meanwhile. */
package io.pageferry.agent.host.throttle;
