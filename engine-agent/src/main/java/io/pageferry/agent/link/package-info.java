/** How a source reaches its target: over TCP, a unix socket, or an embedder's transport. */
package io.pageferry.agent.link;
