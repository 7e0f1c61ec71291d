/**
 * A client of the NBD protocol (fixed newstyle handshake) over a unix socket, and disks that such a
 * server has. Nothing that a server says is believed before its form and limits were checked.
 */
package io.pageferry.agent.host.disk.nbd;
