/**
 * TLS 1.3 below the preamble, with certificates on both sides (docs/PROTOCOL.md §12): the files,
 * what is made of them, and the handlers between a socket and its frames. It knows no frame.
 */
package io.pageferry.transport.netty.tls;
