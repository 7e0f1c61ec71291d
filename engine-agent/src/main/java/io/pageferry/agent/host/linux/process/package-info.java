/** Other processes: their memory, by its addresses there. */
package io.pageferry.agent.host.linux.process;
