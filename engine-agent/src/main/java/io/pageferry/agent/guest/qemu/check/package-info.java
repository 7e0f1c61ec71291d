/** What stands in the way of moving one QEMU guest, row by row. */
package io.pageferry.agent.guest.qemu.check;
