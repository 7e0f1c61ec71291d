/**
 * Whole machines: which disks one is, what hardware it has, and what starts it at the target. Their
 * disks move as those of {@code guest.disk}.
 */
package io.pageferry.agent.guest.machine;
