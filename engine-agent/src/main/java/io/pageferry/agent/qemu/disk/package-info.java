/** The images of a QEMU: who holds them. */
package io.pageferry.agent.qemu.disk;
