/** QEMU guests as an agent moves them. */
package io.pageferry.agent.guest.qemu;
