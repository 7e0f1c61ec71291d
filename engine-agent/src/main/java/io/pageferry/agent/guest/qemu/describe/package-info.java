/** What a running QEMU consists of, as the command line of another one like it. */
package io.pageferry.agent.guest.qemu.describe;
