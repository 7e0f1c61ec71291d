/** {@code libvirt:}, a guest that libvirt manages on both sides: docs/adr/0047. */
package io.pageferry.agent.guest.libvirt;
