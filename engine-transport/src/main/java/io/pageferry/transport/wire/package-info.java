/**
 * The byte layout of docs/PROTOCOL.md: knows buffers, not sockets. Everything that a peer sent is
 * checked here before it is used.
 */
package io.pageferry.transport.wire;
