/**
 * The daemon: every move of this host, both ways, in one process. The registry of migrations and of
 * slots, the queue, and what is found in the state directory at the start.
 */
package io.pageferry.agent.daemon;
