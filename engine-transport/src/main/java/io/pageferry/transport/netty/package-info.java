/**
 * The settings of the link over TCP. {@code io} moves frames over one connection, {@code link}
 * makes links of connections, {@code http} serves calls; these and {@code tls} are the only packages
 * that name Netty.
 */
package io.pageferry.transport.netty;
