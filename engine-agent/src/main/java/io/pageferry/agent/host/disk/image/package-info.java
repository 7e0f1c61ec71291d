/** Disks in files of other formats than raw: qemu-nbd has those, an NBD client of ours asks it. */
package io.pageferry.agent.host.disk.image;
