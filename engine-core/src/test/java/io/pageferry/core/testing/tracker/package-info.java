/**
 * The contract of a tracker as tests that whoever implements {@code DirtyTracker} runs against
 * his; in the jar with classifier {@code guest-contract} too.
 */
package io.pageferry.core.testing.tracker;
