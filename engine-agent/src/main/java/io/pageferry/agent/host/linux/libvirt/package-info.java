/** The C library of libvirt, as far as guests under it are moved: docs/adr/0047. */
package io.pageferry.agent.host.linux.libvirt;
