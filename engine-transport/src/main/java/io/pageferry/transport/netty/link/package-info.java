/**
 * Links: one control connection and the channels of the pages, at a source and at a target. IO
 * threads fill queues; the migration's own thread polls. Neither ever waits for the other.
 */
package io.pageferry.transport.netty.link;
