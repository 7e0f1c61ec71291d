/** The images of a QEMU's disks: who holds them, and how they come to another host. */
package io.pageferry.agent.guest.qemu.disk;
