/** What a target's QEMU is started with: written from a running one, read again, and started. */
package io.pageferry.agent.guest.qemu.start;
