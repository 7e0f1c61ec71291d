/** What stands between a state machine and a link: queues, chunks, what is in flight. */
package io.pageferry.core.link.flow;
