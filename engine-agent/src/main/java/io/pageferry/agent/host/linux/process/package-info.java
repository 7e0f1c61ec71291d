/** The memory of another process, and a pipe to one. */
package io.pageferry.agent.host.linux.process;
