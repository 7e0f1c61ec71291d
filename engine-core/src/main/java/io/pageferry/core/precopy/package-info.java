/** Pre-copy at work: the rounds, the pure decision when to stop, what paces and throttles. */
package io.pageferry.core.precopy;
