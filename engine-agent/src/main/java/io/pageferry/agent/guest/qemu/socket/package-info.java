/** Sockets and files between an agent and one QEMU, which may be of another user. */
package io.pageferry.agent.guest.qemu.socket;
