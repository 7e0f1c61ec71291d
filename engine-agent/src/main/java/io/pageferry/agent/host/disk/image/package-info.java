/** Disk images that are not raw: qemu-nbd has them, and an NBD client of ours reads and writes. */
package io.pageferry.agent.host.disk.image;
