/** Other processes: their memory, pipes to them, and those that live on without this one. */
package io.pageferry.agent.host.linux.process;
