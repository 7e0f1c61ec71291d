/** How a source reaches its target: over TCP, or over an embedder's transport. */
package io.pageferry.agent.link;
