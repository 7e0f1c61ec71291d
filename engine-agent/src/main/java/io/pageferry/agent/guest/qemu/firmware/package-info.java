/** What a QEMU's stream has beside the devices: its firmware's memory; and how a stream is given in parts. */
package io.pageferry.agent.guest.qemu.firmware;
