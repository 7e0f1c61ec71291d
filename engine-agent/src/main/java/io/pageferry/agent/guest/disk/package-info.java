/** Disks as guests: {@code disk:PATH[,PATH…]}, at the source and at the target. */
package io.pageferry.agent.guest.disk;
