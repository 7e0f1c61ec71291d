/**
 * Protocols of HTTP that a target's port serves besides pages, by the name that a peer gives in the
 * TLS handshake (ALPN).
 */
package io.pageferry.transport.netty.alpn;
