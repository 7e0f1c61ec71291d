/** A QEMU's firmware as a section of its stream, and a stream that is given in parts. */
package io.pageferry.agent.guest.qemu.firmware;
