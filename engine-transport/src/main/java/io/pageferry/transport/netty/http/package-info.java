/**
 * Serves {@code transport.http} by HTTP/1.1 over a unix socket, within {@link
 * io.pageferry.transport.netty.http.HttpLimits}. Its one IO thread is its own: no migration waits
 * for a reader. {@code HttpPipeline} does not know what carries its bytes.
 */
package io.pageferry.transport.netty.http;
