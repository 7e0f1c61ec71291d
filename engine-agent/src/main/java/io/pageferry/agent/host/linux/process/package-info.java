/** Other processes: their memory, by its addresses there; pipes to them; those that live on alone. */
package io.pageferry.agent.host.linux.process;
