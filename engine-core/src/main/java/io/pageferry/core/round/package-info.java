/** Rounds: encoding dirty pages, counting, and the pure decision when to stop. */
package io.pageferry.core.round;
