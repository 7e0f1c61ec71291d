/** Which moves may go on at the same time, and what each gets of the link: arithmetic alone. */
package io.pageferry.agent.daemon.queue;
