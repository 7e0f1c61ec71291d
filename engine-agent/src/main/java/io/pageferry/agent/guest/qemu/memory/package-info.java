/** Where the RAM of a QEMU is: in its own memory, in the files behind it, and on its host. */
package io.pageferry.agent.guest.qemu.memory;
