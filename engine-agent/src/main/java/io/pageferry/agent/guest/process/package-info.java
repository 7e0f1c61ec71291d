/** {@code process:PID}: the shared memory of a process that knows nothing of its move. */
package io.pageferry.agent.guest.process;
