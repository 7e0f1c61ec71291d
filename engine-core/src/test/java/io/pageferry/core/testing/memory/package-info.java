/**
 * The contracts of guest memory as tests that whoever implements {@code PageSource} or
 * {@code PageStore} runs against his; in the jar with classifier {@code guest-contract} too.
 */
package io.pageferry.core.testing.memory;
