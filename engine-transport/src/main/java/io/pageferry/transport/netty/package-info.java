/**
 * The link over TCP by Netty, and the only room that names Netty. A connection's IO thread checks
 * and queues; the migration's own thread polls. Neither ever waits for the other.
 */
package io.pageferry.transport.netty;
