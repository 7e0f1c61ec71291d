/**
 * Frames over one TCP connection: pipelines, decoding, sending, the end of it. All of it runs on
 * the connection's IO thread, which checks and hands over, and never waits. Not exported.
 */
package io.pageferry.transport.netty.io;
