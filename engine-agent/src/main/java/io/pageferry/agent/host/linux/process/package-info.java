/** Other processes: their memory, by its addresses there; those that live on without this one. */
package io.pageferry.agent.host.linux.process;
