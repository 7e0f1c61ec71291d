/** QEMU by its monitor: what it is, what stands in the way, its device state out and in. */
package io.pageferry.agent.guest.qemu.qmp;
