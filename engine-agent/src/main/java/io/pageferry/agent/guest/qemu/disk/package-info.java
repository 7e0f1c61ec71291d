/** The images of a QEMU's disks: their holders, and how they come to another host. */
package io.pageferry.agent.guest.qemu.disk;
