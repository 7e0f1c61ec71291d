/**
 * A client of an agent's API over its unix socket, for commands: the JDK's sockets and a strict
 * reader of HTTP/1.1, as a command lives for a moment and should not load more.
 */
package io.pageferry.agent.client;
