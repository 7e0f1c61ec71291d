/**
 * Descriptions of machines that lie beside their disks: of VMware, of OVF packages, of libvirt;
 * read, and written for the other side.
 */
package io.pageferry.agent.guest.disk.description;
